//! How far long work is: a bar on a terminal, a line every few seconds elsewhere. Both on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is printed where there is no terminal.
const EVERY: Duration = Duration::from_secs(3);

/// Work under way.
pub struct Progress {
    what: &'static str,
    unit: &'static str,
    total: Option<u64>,
    bar: ProgressBar,
    told: Instant,
}

impl Progress {
    /// Begins to show `what` is being done, in so many of `unit` where it is known how many there are.
    pub fn new(what: &'static str, unit: &'static str, total: Option<u64>) -> Self {
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = match total {
            Some(_) => "{msg} [{bar:30}] {human_pos} of {human_len} {prefix}, {eta} left",
            None => "{spinner} {msg}: {human_pos} {prefix}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.set_prefix(unit);
        Self { what, unit, total, bar, told: Instant::now() }
    }

    /// So many are done.
    pub fn at(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.bar.is_hidden() && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let of = self.total.map_or_else(String::new, |total| format!(" of {total}"));
            eprintln!("{}: {done}{of} {}", self.what, self.unit);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
