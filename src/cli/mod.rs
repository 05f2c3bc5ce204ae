//! The command line: a file a command. To add one, add a file, a variant, and an arm.

mod backup;
mod check;
mod demo;
mod health;
mod log;
mod move_store;
mod progress;
mod recover;
mod restore;
mod routes;
mod serve;
mod way_in;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::StartError;
use crate::backup::{BackupError, FillError};
use crate::config::{ConfigError, StoreUrl};
use crate::store::StoreError;

/// A place for a group of people to share short posts.
#[derive(Parser)]
#[command(name = "thoughts", version, about)]
struct Arguments {
    /// The configuration file, instead of thoughts.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (what happens without a command, too)
    Serve,
    /// Run the server with a demo provider inside it, on this machine alone
    Demo,
    /// Try everything that a sign-in needs, and say what to change; exit 0 or 1
    Check,
    /// Print the route table: method, path, access
    Routes,
    /// Write a consistent copy to a new file, while the server runs or while it doesn't
    Backup {
        /// The file, which must not be there yet
        file: PathBuf,
    },
    /// Put a backup into an empty store
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Make a new store out of the newest snapshot and what can still be read of a damaged one, which is kept
    Recover,
    /// Put everything from one store into another, empty one; neither may be in use
    Move {
        /// From where, written as in the configuration, like sled:data
        #[arg(long, value_name = "STORE")]
        from: StoreUrl,
        /// To where
        #[arg(long, value_name = "STORE")]
        to: StoreUrl,
    },
    /// Ask a running server whether it is ready; exit 0 or 1
    Health,
}

/// Why a command ended badly. Exit codes: 1 it failed, 2 wrong use or configuration.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Use(String),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Fill(#[from] FillError),
    #[error("{0}")]
    Other(String),
}

impl Failed {
    fn code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Use(_) => 2,
            Self::Start(_) | Self::Store(_) | Self::Backup(_) | Self::Fill(_) | Self::Other(_) => 1,
        }
    }
}

/// Runs the command that the arguments name; clap answers wrong use itself, with exit code 2.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("thoughts: the system gives no threads: {error}");
            return ExitCode::from(1);
        }
    };
    let ended = runtime.block_on(async {
        match arguments.command {
            None | Some(Command::Serve) => serve::run(arguments.config).await,
            Some(Command::Demo) => demo::run(arguments.config).await,
            Some(Command::Routes) => {
                routes::run();
                Ok(())
            }
            Some(Command::Check) => check::run(arguments.config).await,
            Some(Command::Backup { file }) => backup::run(arguments.config, &file).await,
            Some(Command::Restore { file }) => restore::run(arguments.config, &file).await,
            Some(Command::Recover) => recover::run(arguments.config).await,
            Some(Command::Move { from, to }) => move_store::run(&from, &to).await,
            Some(Command::Health) => health::run(arguments.config).await,
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("thoughts: {failed}");
            ExitCode::from(failed.code())
        }
    }
}
