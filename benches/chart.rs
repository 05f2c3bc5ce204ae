//! The chart of the README: requests per second against how much is stored, in the reader's colours.

use maud::{Markup, html};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 36.0;

/// Shapes tell the lines apart for who can't tell the colours apart.
const DASHES: [&str; 4] = ["", "8 3", "3 3", "12 3 3 3"];

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#333}path,circle{stroke-width:2}\
    .grid{stroke:#ccc;stroke-width:1}.l0{--c:#0b62a4}.l1{--c:#b3450b}.l2{--c:#2d7a2d}.l3{--c:#7a3a8c}\
    .l{stroke:var(--c);fill:none}.p{stroke:none;fill:var(--c)}\
    @media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}\
    .l0{--c:#6bb5ec}.l1{--c:#f0996b}.l2{--c:#7fd07f}.l3{--c:#cf9be0}}";

/// A line each: its name, and (thoughts, requests per second) of each size.
pub fn draw(lines: &[(String, Vec<(u64, f64)>)]) -> Markup {
    let all = || lines.iter().flat_map(|(_, points)| points);
    let most = all().map(|(_, rate)| *rate).fold(1.0, f64::max);
    let step = 10_f64.powf(most.log10().floor()) / 2.0;
    let top = (most / step).ceil() * step;
    let (least, greatest) = (3.0, all().map(|(size, _)| (*size as f64).log10()).fold(4.0, f64::max));
    let x = |size: u64| LEFT + ((size as f64).log10() - least) / (greatest - least) * (WIDTH - LEFT - RIGHT);
    let y = |rate: f64| TOP + (1.0 - rate / top) * (HEIGHT - TOP - BOTTOM);
    let path = |points: &[(u64, f64)]| {
        let places: Vec<_> = points.iter().map(|(size, rate)| format!("{:.1} {:.1}", x(*size), y(*rate))).collect();
        format!("M{}", places.join("L"))
    };
    let ticks: Vec<f64> = (0..=(top / step) as u32).map(|number| f64::from(number) * step).collect();
    let labels = labels(lines, |points| points.last().map_or(TOP, |(_, rate)| y(*rate)));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img"
            aria-label="Requests per second of each page, with 1,000 to 1,000,000 thoughts stored" {
            style { (STYLE) }
            @for tick in &ticks {
                path .grid d={ "M" (LEFT) " " (format!("{:.1}", y(*tick))) "H" (WIDTH - RIGHT) } {}
                text x=(LEFT - 8.0) y=(format!("{:.1}", y(*tick) + 4.0)) text-anchor="end" { (crate::table::short(*tick)) }
            }
            @for size in [1_000, 100_000, 1_000_000] {
                text x=(format!("{:.1}", x(size))) y=(HEIGHT - 14.0) text-anchor="middle" { (size) }
            }
            @for (number, (_, points)) in lines.iter().enumerate() {
                g .{ "l" (number % 4) } {
                    path .l d=(path(points)) stroke-dasharray=(DASHES[number % 4]) {}
                    @for (size, rate) in points {
                        circle .p cx=(format!("{:.1}", x(*size))) cy=(format!("{:.1}", y(*rate))) r="4" {}
                    }
                }
            }
            @for (line, at) in labels {
                text x=(WIDTH - RIGHT + 12.0) y=(format!("{:.1}", at + 4.0)) { (lines[line].0) }
            }
        }
    }
}

/// Where the names of the lines stand: beside their ends, and not on each other.
fn labels(lines: &[(String, Vec<(u64, f64)>)], end: impl Fn(&[(u64, f64)]) -> f64) -> Vec<(usize, f64)> {
    let mut ends: Vec<(usize, f64)> = lines.iter().map(|(_, points)| end(points)).enumerate().collect();
    ends.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let mut free = 0.0_f64;
    for (_, at) in &mut ends {
        *at = at.max(free);
        free = *at + 17.0;
    }
    ends
}
