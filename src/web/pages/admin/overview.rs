//! How the site is doing: what runs, since when, where it keeps what, and what ran by itself.

use std::time::Duration;

use maud::{Markup, html};
use poem::{Response, handler};

use super::{fact, screen};
use crate::actions::admin::{Totals, totals};
use crate::app::JobRun;
use crate::config::Anonymous;
use crate::web::access::Admin;
use crate::web::components::time;
use crate::web::refusal::Refusal;

/// `GET /admin`
#[handler]
pub async fn get(admin: Admin) -> Result<Response, Refusal> {
    let totals = totals(&admin.app, &admin.member).await?;
    let below = html! {
        (site(&admin, totals))
        (jobs(&admin.app.job_runs.all()))
    };
    Ok(admin.show(screen(&admin, "Overview", &below)))
}

fn site(admin: &Admin, totals: Totals) -> Markup {
    let (app, config) = (&admin.app, &admin.app.config);
    let up = app.clock.now().duration_since(app.started_at).unsigned_abs();
    let store = match config.store.folder() {
        Some(folder) => format!("{}, in {}", config.store.kind(), folder.display()),
        None => config.store.kind().to_owned(),
    };
    html! {
        dl .claims {
            (fact("Version", &html! { (env!("CARGO_PKG_VERSION")) }))
            (fact("Running", &html! { (in_words(up)) ", since " (time(app.started_at)) }))
            (fact("Address", &html! { (config.base_url.join("/")) }))
            (fact("Listens on", &html! { (config.listen) }))
            (fact("Store", &html! { (store) }))
            (fact("It takes", &html! { (bytes(totals.bytes)) }))
            (fact("Members", &html! { (totals.members) @if totals.more { " or more" } }))
            (fact("Who may read", &html! { (readers(config.anonymous)) }))
            (fact("Sessions end", &html! { (in_words(config.session_idle)) " after their last use, and after " (in_words(config.session_max)) " in any case" }))
        }
    }
}

fn readers(anonymous: Anonymous) -> &'static str {
    match anonymous {
        Anonymous::Read => "Anyone, what is public",
        Anonymous::None => "Members alone",
    }
}

fn jobs(runs: &[(&'static str, JobRun)]) -> Markup {
    html! {
        section {
            h2 { "What runs by itself" }
            @if runs.is_empty() { p .note { "Nothing has run yet." } }
            ul .rows role="list" {
                @for (name, run) in runs {
                    li {
                        div {
                            p { strong { (capitalized(name)) } @if run.error.is_some() { " " span .for .bad { "Failed" } } }
                            p .meta { span { "Last run " (time(run.at)) } span { "every " (in_words(run.every).trim_start_matches("1 ")) } }
                            @if let Some(error) = &run.error { p .note .error { (error) } }
                        }
                    }
                }
            }
        }
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A length of time in its two largest units.
fn in_words(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [("day", seconds / 86_400), ("hour", seconds / 3600 % 24), ("minute", seconds / 60 % 60)];
    let first = units.iter().position(|(_, many)| *many > 0);
    let Some(first) = first else { return "less than a minute".to_owned() };
    let named = |(name, many): &(&str, u64)| format!("{many} {name}{}", if *many == 1 { "" } else { "s" });
    units.iter().skip(first).take(2).filter(|(_, many)| *many > 0).map(named).collect::<Vec<_>>().join(" ")
}

/// So many bytes, in the largest unit of which there is one.
fn bytes(many: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.iter().find(|(_, unit)| many >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", many / unit, many % unit * 10 / unit),
        None => format!("{many} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_said_in_its_two_largest_units() {
        for (seconds, words) in [
            (0, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 minute"),
            (3720, "1 hour 2 minutes"),
            (7 * 86_400, "7 days"),
            (86_400 + 7200 + 60, "1 day 2 hours"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words, "{seconds}");
        }
    }

    #[test]
    fn bytes_are_said_in_the_largest_unit() {
        for (many, words) in
            [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_345_678, "2.3 MB"), (12_000_000_000, "12.0 GB")]
        {
            assert_eq!(bytes(many), words);
        }
    }
}
