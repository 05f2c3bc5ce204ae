//! `cargo bench`: how fast, how small and how steady Thoughts is, as ratios measured in one run.
//!
//! The release binary is started as a user would start it, with a store that a generator has filled; beside it, in
//! turn, the limit: a bare Poem handler that answers as many bytes under the same headers, and for a write waits for sled's
//! own group commit. Both are driven over loopback by a fixed number of connections. Every answer's status is checked, and
//! its length where it is the same each time. The machine's cores are shared by both sides, so the CPU time that the server
//! itself spends on a request is given as well. The limits have the product's allocator: what it gains is not to count.
//!
//! `--small` takes the store of 1,000 thoughts alone; `--seconds N` says how long each measurement is (3); `--only WORD`
//! takes the rows whose name holds that word. Stores are kept in `target/tmp/bench` between runs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a benchmark ends where it is surprised, and says where"
)]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures the system's time")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

/// As in `src/main.rs`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod chart;
mod fill;
#[path = "../tests/support/generator.rs"]
mod generator;
mod limit;
mod load;
#[path = "../tests/support/person.rs"]
#[expect(dead_code, reason = "it is the tests', who need more of it")]
mod person;
#[path = "../tests/support/postgres.rs"]
#[expect(dead_code, reason = "it is the tests', who need more of it")]
mod postgres;
mod process;
mod rows;
mod site;
mod table;

use std::time::Duration;

use clap::Parser;

use table::Table;

/// What is measured, and for how long.
#[derive(Parser)]
pub struct Options {
    /// The store of 1,000 thoughts alone
    #[arg(long)]
    small: bool,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Only the rows whose name holds this
    #[arg(long, default_value = "")]
    only: String,
    /// Write the table into the README, and the chart beside it
    #[arg(long)]
    write: bool,
    /// What cargo says
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// The sizes of the stores, in thoughts.
    fn sizes(&self) -> &'static [u64] {
        if self.small { &[1_000] } else { &[1_000, 100_000, 1_000_000] }
    }

    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn wants(&self, row: &str) -> bool {
        row.contains(&self.only)
    }
}

fn main() {
    if let Some(("limit", rest)) = std::env::args().nth(1).as_deref().map(|first| (first, std::env::args().skip(2))) {
        limit::serve(rest.collect());
        return;
    }
    let options = Options::parse();
    site::build();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut table = Table::default();
    runtime.block_on(async {
        rows::weight::measure(&options, &mut table).await;
        rows::start::measure(&options, &mut table).await;
        rows::pages::measure(&options, &mut table).await;
        rows::postgres::measure(&options, &mut table).await;
        rows::writes::measure(&options, &mut table).await;
        rows::streams::measure(&options, &mut table).await;
        rows::sign_in::measure(&options, &mut table).await;
        rows::upstream::measure(&options, &mut table).await;
    });
    println!("\n{table}");
    if options.write {
        table.write();
    }
}
