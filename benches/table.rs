//! The table: a row for each thing to reach, and whether it was.

use std::fmt;
use std::fs;

/// A row.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What is to be reached, in words.
    pub reach: &'static str,
    /// What was found, in words.
    pub found: String,
    /// More figures, in words.
    pub beside: String,
    /// Whether it was reached.
    pub reached: bool,
}

/// All rows, and the points of the chart.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    /// A line of the chart: its name, and (thoughts in the store, requests per second) of each size.
    pub lines: Vec<(String, Vec<(u64, f64)>)>,
}

impl Table {
    /// Adds a row, and prints it, for who waits.
    pub fn add(&mut self, row: Row) {
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// Puts the table between its marks in the README, and the chart where the README shows it.
    pub fn write(&self) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = fs::read_to_string(path).unwrap();
        let (before, rest) = readme.split_once("<!-- bench -->\n").expect("the README has a place for the table");
        let (_, after) = rest.split_once("<!-- /bench -->").expect("the place has an end");
        fs::write(path, format!("{before}<!-- bench -->\n{self}<!-- /bench -->{after}")).unwrap();
        if self.lines.iter().any(|(_, points)| points.len() > 1) {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/growth.svg");
            fs::write(path, crate::chart::draw(&self.lines).into_string()).unwrap();
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.reached { "yes" } else { "**no**" };
        write!(f, "| {} | {} | {} | {verdict} | {} |", self.what, self.reach, self.found, self.beside)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | to reach | found | reached | beside |\n| --- | --- | --- | --- | --- |")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

/// A number for people: three digits that count.
pub fn short(number: f64) -> String {
    match number {
        n if n >= 10_000.0 => format!("{:.0} k", n / 1000.0),
        n if n >= 1000.0 => format!("{:.1} k", n / 1000.0),
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}
