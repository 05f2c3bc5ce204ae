//! The log: to standard error, for people or for programs.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

use crate::config::{Config, LogFormat};

/// Begins to log as the configuration says.
pub fn start(config: &Config) {
    let format = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let layer = match config.log_format {
        LogFormat::Text => format.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => format.json().flatten_event(true).with_ansi(false).boxed(),
    };
    // A second start in one process keeps the first one's log, which is the same.
    let _ = registry().with(config.log.clone()).with(layer).try_init();
}
