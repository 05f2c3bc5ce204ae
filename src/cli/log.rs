//! The log: to standard error, for people or for programs.

use std::fmt;
use std::io::{IsTerminal as _, stderr};

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{self, FormatEvent, FormatFields, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, registry};

use crate::config::{Config, LogFormat};
use crate::telemetry::RequestId;

/// Begins to log as the configuration says.
pub fn start(config: &Config) {
    let format = format::format().with_target(false);
    let layer = match config.log_format {
        LogFormat::Text => {
            let line =
                OfRequest { inner: format.with_ansi(stderr().is_terminal()), end: "", of: " request_id=", close: "" };
            layer().with_writer(stderr).event_format(line).boxed()
        }
        LogFormat::Json => {
            let json = format.json().flatten_event(true).with_current_span(false).with_span_list(false);
            let line = OfRequest { inner: json, end: "}", of: ",\"request_id\":\"", close: "\"}" };
            layer().with_writer(stderr).fmt_fields(JsonFields::new()).event_format(line).boxed()
        }
    };
    // A second start in one process keeps the first one's log, which is the same.
    let _ = registry().with(config.log.clone()).with(layer).try_init();
}

/// A line that ends in the name of the request that it is about.
struct OfRequest<F> {
    inner: F,
    /// What the line ends in by itself.
    end: &'static str,
    /// What stands before the name instead.
    of: &'static str,
    /// What stands behind it.
    close: &'static str,
}

impl<S, N, F> FormatEvent<S, N> for OfRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(id) = RequestId::current() else { return self.inner.format_event(context, writer, event) };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        let line = line.strip_suffix(self.end).unwrap_or(line);
        writeln!(writer, "{line}{}{id}{}", self.of, self.close)
    }
}
