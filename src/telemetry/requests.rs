//! The requests that were answered, by method, route and kind of status, and how long each took. They are counted all the
//! time: what counts those of a route is looked up by its labels once, and kept with the route.

use std::array;
use std::sync::OnceLock;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::counters::{Labels, status_class};

/// Upper bounds of how long an answer takes, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// The methods that the route table knows, and one for all others: anybody can make up more.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// The first digits of a status.
const CLASSES: usize = 5;

/// What is counted of all requests.
#[derive(Clone)]
pub(super) struct Requests {
    answered: Family<Labels<3>, Counter>,
    durations: Family<Labels<2>, Histogram, fn() -> Histogram>,
}

impl Requests {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let answered = Family::default();
        registry.register("http_requests", "Requests answered", answered.clone());
        let durations = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        registry.register("http_request_duration_seconds", "How long an answer took to begin", durations.clone());
        Self { answered, durations }
    }

    /// What counts those to one route.
    pub(super) fn of(&self, pattern: &'static str) -> Route {
        Route { pattern, all: self.clone(), by_method: array::from_fn(|_| ByMethod::default()) }
    }
}

/// What counts the requests to one route of the table.
pub struct Route {
    /// As it stands in the table.
    pattern: &'static str,
    all: Requests,
    /// In the order of [`METHODS`].
    by_method: [ByMethod; METHODS.len()],
}

#[derive(Default)]
struct ByMethod {
    answered: [OnceLock<Counter>; CLASSES],
    durations: OnceLock<Histogram>,
}

impl Route {
    /// A request was answered with this status, so long after it came.
    pub fn answered(&self, method: &Method, status: StatusCode, took: Duration) {
        let number = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1);
        let (of_method, method) = (&self.by_method[number], METHODS[number]);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES);
        let counter = of_method.answered[class - 1].get_or_init(|| {
            let status = status_class(status.as_u16());
            let labels = [("method", method.into()), ("route", self.pattern.into()), ("status", status.into())];
            self.all.answered.get_or_create_owned(&labels)
        });
        counter.inc();
        let durations = of_method.durations.get_or_init(|| {
            let labels = [("method", method.into()), ("route", self.pattern.into())];
            self.all.durations.get_or_create_owned(&labels)
        });
        durations.observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn requests_are_counted_by_route_method_and_kind_of_status() {
        let mut registry = Registry::default();
        let requests = Requests::new(&mut registry);
        let (feed, other) = (requests.of("/"), requests.of("none"));
        for (route, method, status) in
            [(&feed, "GET", 200), (&feed, "GET", 204), (&feed, "GET", 404), (&other, "GET", 404)]
        {
            route.answered(&method.parse().unwrap(), StatusCode::from_u16(status).unwrap(), Duration::from_millis(2));
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            r#"http_requests_total{method="GET",route="/",status="2xx"} 2"#,
            r#"http_requests_total{method="GET",route="/",status="4xx"} 1"#,
            r#"http_requests_total{method="GET",route="none",status="4xx"} 1"#,
            r#"http_request_duration_seconds_count{method="GET",route="/"} 3"#,
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
    }

    #[test]
    fn a_method_that_somebody_made_up_makes_no_new_label() {
        let mut registry = Registry::default();
        let route = Requests::new(&mut registry).of("/");
        for made_up in ["EVIL", "WORSE"] {
            route.answered(&made_up.parse().unwrap(), StatusCode::METHOD_NOT_ALLOWED, Duration::ZERO);
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains(r#"http_requests_total{method="other",route="/",status="4xx"} 2"#), "{text}");
    }
}
