//! `thoughts routes`: what is really mounted.

use crate::web::routes::table;

/// Prints a line a row: method, path, access.
pub fn run() {
    let table = table();
    let width = table.iter().map(|row| row.path.len()).max().unwrap_or_default();
    for row in table {
        println!("{:<6} {:width$} {}", row.method.to_string(), row.path, row.access);
    }
}
