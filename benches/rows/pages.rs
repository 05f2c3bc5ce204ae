//! Pages that are read: against the limit, and against the same page of a smaller store.

use crate::fill::{self, Filled};
use crate::load::{self, Ask, Measured};
use crate::process::Process;
use crate::table::{Row, Table};
use crate::{Options, limit, site};

const CONNECTIONS: usize = 64;

const FRAGMENT: [(&str, &str); 2] = [("hx-request", "true"), ("hx-request-type", "partial")];

/// Measures all of them, at each size of the store.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("page growth") {
        return;
    }
    let mut smaller: Vec<Served> = Vec::new();
    for thoughts in options.sizes() {
        let filled = fill::of(*thoughts).await;
        let site = (site::on(&filled).await, filled);
        match &smaller[..] {
            [] => against_the_limit(options, table, &site).await,
            [small] => growth(options, table, PAGES, &site, small).await,
            [small, middle, ..] => {
                growth(options, table, PAGES, &site, small).await;
                growth(options, table, ANY_PAGES, &site, middle).await;
            }
        }
        searching(options, table, &site).await;
        let (memory, limit) = (site.0.memory(), 300.0);
        table.add(Row {
            what: format!("memory, {thoughts} thoughts served"),
            reach: "under 300 MB",
            found: format!("{memory:.0} MB"),
            beside: String::new(),
            reached: memory < limit,
        });
        smaller.push(site);
    }
}

/// A site, and what its store holds.
type Served = (Process, Filled);

/// The feed, as its readers get it.
async fn against_the_limit(options: &Options, table: &mut Table, (server, filled): &Served) {
    let cookie = [("cookie", filled.cookie.as_str())];
    let packed = [cookie[0], ("accept-encoding", "gzip")];
    let signed_in = "0.80 of the limit's rate, p99 at most twice its";
    let cases: [(_, &[_], _, _); 4] = [
        ("feed page, signed in", &cookie, 0.80, signed_in),
        ("feed page, signed in, packed as browsers ask for it", &packed, 0.80, signed_in),
        ("feed page, anonymous", &[], 0.85, "0.85 of the limit's rate"),
        ("feed fragment, anonymous", &FRAGMENT, 0.85, "0.85 of the limit's rate"),
    ];
    for (what, headers, least, reach) in cases {
        let mut ask = Ask::get("/", headers);
        let answer = load::once(server.port, &ask).await;
        ask.length = Some(answer.body().len());
        let limit = limit::start(&answer);
        let (ours, bare, ratio) = load::in_turn((server, &ask), (&limit, &ask), CONNECTIONS, options.time()).await;
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
    format!("{ours}; the limit {bare}")
}

/// What is looked for, each time something else: where nearly every thought has it, where one has, where none has both.
const LOOKED_FOR: [(&str, &str); 3] = [
    ("a word that nearly all have", "/search?q=morning&before={thought}"),
    ("a word that one has, and another", "/search?q=garden+{number}"),
    ("two words that none has both of", "/search?q={number}+12345"),
];

/// Searching, beside the feed.
async fn searching(options: &Options, table: &mut Table, (server, filled): &Served) {
    for (what, path) in LOOKED_FOR {
        let headers = [("cookie", filled.cookie.as_str())];
        let ask = Ask { thoughts: filled.thoughts, ..Ask::get(path, &headers) };
        let feed = Ask::get("/", &headers);
        let (ours, feed, _) = load::in_turn((server, &ask), (server, &feed), CONNECTIONS, options.time()).await;
        let ratio = ours.p99 / feed.p99;
        table.add(Row {
            what: format!("search in {} thoughts: {what}", filled.thoughts),
            reach: "p99 under 20 times the feed page's",
            found: format!("{ratio:.1}"),
            beside: beside(&ours, &feed).replace("the limit", "the feed"),
            reached: ratio < 20.0,
        });
    }
}

/// The same pages, however much is stored: in turn with those of a smaller store.
async fn growth(options: &Options, table: &mut Table, pages: &[(&str, Path)], large: &Served, small: &Served) {
    for (what, path) in pages {
        let asked = |(_, filled): &Served| Ask {
            thoughts: filled.thoughts,
            ..Ask::get(path(filled), &[("cookie", filled.cookie.as_str())])
        };
        let asks = (asked(large), asked(small));
        let (ours, bare, ratio) =
            load::in_turn((&large.0, &asks.0), (&small.0, &asks.1), CONNECTIONS, options.time()).await;
        if !table.lines.iter().any(|(line, _)| line == *what) {
            table.lines.push(((*what).to_owned(), vec![(small.1.thoughts, bare.rate)]));
        }
        if let Some((_, points)) = table.lines.iter_mut().find(|(line, _)| line == *what) {
            // What the machine does otherwise differs from one minute to the next: all points are of the first.
            points.push((large.1.thoughts, points[0].1 * ratio));
        }
        table.add(Row {
            what: format!("{what}, {} thoughts against {}", large.1.thoughts, small.1.thoughts),
            reach: "0.95 of the smaller store's rate",
            found: format!("{ratio:.2}"),
            beside: beside(&ours, &bare).replace("the limit", "the smaller store"),
            reached: ratio >= 0.95,
        });
    }
}

/// Where a page is, with what the store holds.
type Path = fn(&Filled) -> String;

/// The pages that are measured, and what they are called.
const PAGES: &[(&str, Path)] = &[
    ("feed", |_| "/".to_owned()),
    ("older page of the feed", |filled| format!("/?before={}", filled.middle())),
    ("member's page", |_| format!("/@{}", fill::a_member())),
    ("thought", |filled| format!("/thoughts/{}", filled.middle())),
];

/// Each time another one, so that next to nothing of it is kept in memory, where the smallest store would be as a whole.
const ANY_PAGES: &[(&str, Path)] =
    &[("any older page", |_| "/?before={thought}".to_owned()), ("any thought", |_| "/thoughts/{thought}".to_owned())];
