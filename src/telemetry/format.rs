//! The two ways in which the numbers are written, and which of them somebody gets.

/// How the numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As everything reads them that asks for `/metrics`. Source: Prometheus, "Exposition formats", the text format 0.0.4.
    Text,
    /// Source: `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// The one for who accepts these media types.
    pub fn accepted(accept: &str) -> Self {
        let media_type = |one: &str| one.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let named = accept.split(',').any(|one| media_type(one) == "application/openmetrics-text");
        if named { Self::OpenMetrics } else { Self::Text }
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What is given in `OpenMetrics`, written so.
    pub(super) fn write(self, open_metrics: String) -> String {
        match self {
            Self::Text => text(&open_metrics),
            Self::OpenMetrics => open_metrics,
        }
    }
}

/// There a family is called as its samples are, and what else stands behind a `#` is a comment.
fn text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(family) = line.strip_prefix("# HELP ") {
            help = family.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, of_type)) = line.strip_prefix("# TYPE ").and_then(|family| family.split_once(' ')) {
            let (suffix, of_type) = in_text(of_type);
            text.extend(["# HELP ", name, suffix, " ", help, "\n# TYPE ", name, suffix, " ", of_type, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

/// What the samples of a family of this type are called beside its name, and the type that it has there.
fn in_text(of_type: &str) -> (&'static str, &str) {
    match of_type {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        "unknown" => ("", "untyped"),
        same => ("", same),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::metrics::info::Info;
    use prometheus_client::registry::{Registry, Unit};

    use super::*;

    #[test]
    fn openmetrics_is_for_who_names_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, format) in [
            (prometheus, Format::OpenMetrics),
            ("text/plain, Application/OpenMetrics-Text", Format::OpenMetrics),
            ("text/plain;version=0.0.4", Format::Text),
            ("*/*", Format::Text),
            ("", Format::Text),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn in_text_a_family_is_called_as_its_samples_are_and_has_a_type_that_was_there_before_openmetrics() {
        let mut registry = Registry::default();
        let histogram = Histogram::new([0.5]);
        histogram.observe(0.1);
        registry.register("calls", "Calls", Counter::<u64>::default());
        registry.register("build", "Build", Info::new([("version", "1")]));
        registry.register_with_unit("size", "Size", Unit::Bytes, Gauge::<i64>::default());
        registry.register("took", "How long", histogram);
        let mut open_metrics = String::new();
        encode(&mut open_metrics, &registry).unwrap();
        let expected = "# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total 0\n\
                        # HELP build_info Build.\n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n\
                        # HELP size_bytes Size.\n# TYPE size_bytes gauge\nsize_bytes 0\n\
                        # HELP took How long.\n# TYPE took histogram\ntook_sum 0.1\ntook_count 1\n\
                        took_bucket{le=\"0.5\"} 1\ntook_bucket{le=\"+Inf\"} 1\n";
        assert_eq!(Format::Text.write(open_metrics.clone()), expected);
        assert_eq!(Format::OpenMetrics.write(open_metrics.clone()), open_metrics);
    }
}
