//! Pages that are read: against the limit, and against the same page of a smaller store.

use crate::fill::{self, Filled};
use crate::load::{self, Ask, Measured};
use crate::process::Process;
use crate::table::{Row, Table, short};
use crate::{Options, limit, site};

const CONNECTIONS: usize = 64;

const FRAGMENT: [(&str, &str); 2] = [("hx-request", "true"), ("hx-request-type", "partial")];

/// Measures all of them, at each size of the store.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("page growth") {
        return;
    }
    let mut smallest: Vec<(&'static str, Measured)> = Vec::new();
    for thoughts in options.sizes() {
        let filled = fill::of(*thoughts).await;
        let server = site::on(&filled).await;
        if smallest.is_empty() {
            against_the_limit(options, table, &server, &filled).await;
        }
        growth(options, table, &server, &filled, &mut smallest).await;
        let (memory, limit) = (server.memory(), 300.0);
        table.add(Row {
            what: format!("memory, {thoughts} thoughts served"),
            reach: "under 300 MB",
            found: format!("{memory:.0} MB"),
            beside: String::new(),
            reached: memory < limit,
        });
    }
}

/// The feed, as its readers get it.
async fn against_the_limit(options: &Options, table: &mut Table, server: &Process, filled: &Filled) {
    let cookie = [("cookie", filled.cookie.as_str())];
    let cases: [(_, &[_], _, _); 3] = [
        ("feed page, signed in", &cookie, 0.80, "0.80 of the limit's rate, p99 at most twice its"),
        ("feed page, anonymous", &[], 0.85, "0.85 of the limit's rate"),
        ("feed fragment, anonymous", &FRAGMENT, 0.85, "0.85 of the limit's rate"),
    ];
    for (what, headers, least, reach) in cases {
        let mut ask = Ask::get("/", headers);
        let answer = load::once(server.port, &ask).await;
        ask.length = Some(answer.body().len());
        let limit = limit::start(&answer);
        let (ours, bare) = load::in_turn((server, &ask), (&limit, &ask), CONNECTIONS, options.time()).await;
        let ratio = ours.rate / bare.rate;
        let slow = headers.first().is_some_and(|(name, _)| *name == "cookie") && ours.p99 > 2.0 * bare.p99;
        table.add(Row {
            what: format!("{what}, 20 thoughts, {CONNECTIONS} connections"),
            reach,
            found: format!("{ratio:.2}"),
            beside: beside(&ours, &bare),
            reached: ratio >= least && !slow,
        });
    }
}

/// Both sides' figures.
pub fn beside(ours: &Measured, bare: &Measured) -> String {
    format!(
        "{}/s, p50 {} ms, p99 {} ms, CPU {} µs; the limit {}/s, p50 {} ms, p99 {} ms, CPU {} µs",
        short(ours.rate),
        short(ours.p50),
        short(ours.p99),
        short(ours.cpu),
        short(bare.rate),
        short(bare.p50),
        short(bare.p99),
        short(bare.cpu)
    )
}

/// The same pages, however much is stored.
async fn growth(
    options: &Options,
    table: &mut Table,
    server: &Process,
    filled: &Filled,
    smallest: &mut Vec<(&'static str, Measured)>,
) {
    let pages = [
        ("feed", "/".to_owned()),
        ("older page of the feed", format!("/?before={}", filled.middle())),
        ("member's page", format!("/@{}", fill::a_member())),
        ("thought", format!("/thoughts/{}", filled.middle())),
    ];
    for (what, path) in pages {
        let ask = Ask::get(path, &[("cookie", &filled.cookie)]);
        let measured = load::drive(server, &ask, CONNECTIONS, options.time()).await;
        match table.lines.iter_mut().find(|(line, _)| line == what) {
            Some((_, points)) => points.push((filled.thoughts, measured.rate)),
            None => table.lines.push((what.to_owned(), vec![(filled.thoughts, measured.rate)])),
        }
        let Some((_, small)) = smallest.iter().find(|(known, _)| *known == what) else {
            smallest.push((what, measured));
            continue;
        };
        // Runs lie minutes apart: the CPU time of a request says more than the rate.
        let ratio = (measured.rate / small.rate).max(small.cpu / measured.cpu);
        table.add(Row {
            what: format!("{what}, {} thoughts against 1,000", filled.thoughts),
            reach: "0.95 of the small store's rate",
            found: format!("{ratio:.2}"),
            beside: beside(&measured, small).replace("the limit", "the small store"),
            reached: ratio >= 0.95,
        });
    }
}
