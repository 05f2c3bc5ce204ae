//! Makes the route table answer: groups its rows by path, wraps each in the guard, and puts what is round
//! everything round everything. The one place that gives routes to Poem.
//!
//! A request is half a kilobyte, which an `async fn` keeps twice, and a future that waits for another holds it whole: each
//! layer would copy all that is within it. So a layer hands the request on before it waits, and waits for a box. A box is
//! asked by [`DynEndpoint`]; by [`Endpoint`] there are two futures more, with the request in each.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{FutureExt as _, TryFutureExt as _};
use http::Method;
use percent_encoding::percent_decode_str;
use poem::endpoint::{BoxEndpoint, DynEndpoint};
use poem::{Endpoint, EndpointExt as _, Request, Response, Route};

use super::access::{Access, Guarded};
use super::cookies::WithCookies;
use super::form::{Fields, is_form, read_within_limit};
use super::outer::Outer;
use super::refusal::Refusal;
use super::routes::{Row, Takes, table};
use crate::app::App;
use crate::telemetry;

/// The whole site, below the base path.
#[expect(clippy::disallowed_methods, reason = "this is the builder of the table's routes")]
pub fn mount(app: &Arc<App>) -> impl Endpoint<Output = Response> + 'static {
    let mut by_path: BTreeMap<&'static str, Vec<(Takes, BoxEndpoint<'static, Response>)>> = BTreeMap::new();
    for Row { method, path, access, handler } in table() {
        let guarded = Guarded { app: app.clone(), access, inner: handler };
        by_path.entry(path).or_default().push((method, guarded.boxed()));
    }
    let no_route = Arc::new(app.telemetry.no_route());
    let nothing = || {
        let inner = Guarded { app: app.clone(), access: Access::Public, inner: Nothing.boxed() };
        Counted { route: no_route.clone(), inner }.boxed()
    };
    let (mut root, mut rest) = (None, Route::new());
    for (path, methods) in by_path {
        let mut allowed: Vec<_> = methods.iter().filter_map(|(takes, _)| one(takes)).collect();
        if allowed.contains(&Method::GET) {
            allowed.push(Method::HEAD);
        }
        let fallback = WrongMethod { allowed }.boxed();
        // What a path takes is no secret; that it is asked in the wrong way is told to anyone.
        let fallback = Guarded { app: app.clone(), access: Access::Public, inner: fallback }.boxed();
        let inner = ByMethod::new(app, Rows { methods, fallback });
        let rows = Counted { route: Arc::new(app.telemetry.route(path)), inner };
        if path == "/" {
            root = Some(rows);
        } else {
            rest = rest.at(poem_pattern(path), rows);
        }
    }
    let site = Site { root, rest: rest.at("/*rest", nothing()).boxed() };
    let site = match app.paths.base() {
        "" => Based::Nowhere(site),
        base => Based::Below(Route::new().nest(base, site).at("/*rest", nothing()).boxed()),
    };
    let inner = WithCookies(Textual { site, nothing: nothing() });
    Outer { app: app.clone(), no_route, inner }
}

/// The method of a row that takes one.
fn one(takes: &Takes) -> Option<Method> {
    match takes {
        Takes::One(method) => Some(method.clone()),
        Takes::Any => None,
    }
}

/// `/thoughts/{id}` as Poem writes it: `/thoughts/:id`, and `{path}` for all that follows: `*path`.
fn poem_pattern(path: &str) -> String {
    path.replace("{path}", "*path").replace('{', ":").replace('}', "")
}

/// The site, where it is.
enum Based {
    /// At the root, without a base path.
    Nowhere(Site),
    /// Below one.
    Below(BoxEndpoint<'static, Response>),
}

/// The routes, for a path that is text, and is one: not `*`, as of `OPTIONS *`. Any other names nothing; Poem has an error
/// for it, which no guard would answer.
struct Textual {
    site: Based,
    nothing: BoxEndpoint<'static, Response>,
}

impl Endpoint for Textual {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        let path = request.uri().path();
        let is_text = path.starts_with('/') && percent_decode_str(path).decode_utf8().is_ok();
        match &self.site {
            Based::Nowhere(site) if is_text => site.call(request).left_future(),
            Based::Below(site) if is_text => DynEndpoint::call(&**site, request).right_future(),
            Based::Nowhere(_) | Based::Below(_) => DynEndpoint::call(&*self.nothing, request).right_future(),
        }
    }
}

/// All rows. To Poem the root is like any path that no pattern takes, so it is looked at first.
struct Site {
    root: Option<Counted<ByMethod>>,
    rest: BoxEndpoint<'static, Response>,
}

impl Endpoint for Site {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        match &self.root {
            Some(root) if request.uri().path() == "/" => root.call(request).left_future(),
            Some(_) | None => DynEndpoint::call(&*self.rest, request).right_future(),
        }
    }
}

/// Counts what is answered here, and how long that takes.
struct Counted<E> {
    route: Arc<telemetry::Route>,
    inner: E,
}

impl<E: Endpoint<Output = Response>> Endpoint for Counted<E> {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        let (started, method) = (Instant::now(), request.method().clone());
        self.inner.call(request).inspect(move |answer| {
            let status = answer.as_ref().map_or_else(poem::Error::status, Response::status);
            self.route.answered(&method, status, started.elapsed());
        })
    }
}

/// Where no row stands.
struct Nothing;

impl Endpoint for Nothing {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        Err(Refusal::NotFound.into())
    }
}

/// Where rows stand, and none with this method.
struct WrongMethod {
    allowed: Vec<Method>,
}

impl Endpoint for WrongMethod {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        Err(Refusal::MethodNotAllowed(self.allowed.clone()).into())
    }
}

/// The rows of one path.
struct Rows {
    methods: Vec<(Takes, BoxEndpoint<'static, Response>)>,
    fallback: BoxEndpoint<'static, Response>,
}

impl Rows {
    fn of(&self, method: &Method) -> Option<&BoxEndpoint<'static, Response>> {
        let takes = |takes: &Takes| match takes {
            Takes::One(one) => one == method,
            Takes::Any => true,
        };
        self.methods.iter().find(|(ours, _)| takes(ours)).map(|(_, endpoint)| endpoint)
    }

    /// Whether there is a row for what a form can't send by itself, and which it may send as a `POST`.
    fn beyond_forms(&self) -> bool {
        self.methods.iter().any(|(takes, _)| matches!(one(takes), Some(Method::PUT | Method::DELETE)))
    }

    fn call(&self, request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        let head = *request.method() == Method::HEAD;
        let as_get = head && self.of(&Method::HEAD).is_none();
        let wanted = if as_get { &Method::GET } else { request.method() };
        let row = self.of(wanted).unwrap_or(&self.fallback);
        DynEndpoint::call(&**row, request).map_ok(move |mut response| {
            if head {
                response.take_body();
            }
            response
        })
    }
}

/// Hands a request to the row of its method. A form can only `POST`, and says in `_method` what it means.
struct ByMethod {
    rows: Arc<Rows>,
    /// Where there is a row that a form can't reach by itself.
    overridden: Option<BoxEndpoint<'static, Response>>,
}

impl ByMethod {
    fn new(app: &Arc<App>, rows: Rows) -> Self {
        let rows = Arc::new(rows);
        let beyond_forms = rows.beyond_forms();
        // The guard checks where the form comes from before it is read; the row's own guard admits whoever sent it.
        let inner = || Overridden(rows.clone()).boxed();
        let guarded = || Guarded { app: app.clone(), access: Access::Public, inner: inner() }.boxed();
        Self { overridden: beyond_forms.then(guarded), rows }
    }
}

impl Endpoint for ByMethod {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        match &self.overridden {
            Some(overridden) if *request.method() == Method::POST && is_form(&request) => {
                DynEndpoint::call(&**overridden, request).left_future()
            }
            Some(_) | None => self.rows.call(request).right_future(),
        }
    }
}

/// Reads what a form means, and hands on the body.
struct Overridden(Arc<Rows>);

impl Endpoint for Overridden {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let body = read_within_limit(request.take_body()).await?;
        match Fields::parse(&body).get("_method").to_ascii_uppercase().as_str() {
            "PUT" => request.set_method(Method::PUT),
            "DELETE" => request.set_method(Method::DELETE),
            _ => {}
        }
        request.set_body(body);
        self.0.call(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_patterns_are_poems() {
        assert_eq!(poem_pattern("/thoughts/{id}/edit"), "/thoughts/:id/edit");
        assert_eq!(poem_pattern("/@{handle}"), "/@:handle");
        assert_eq!(poem_pattern("/api/upstream/{name}/{path}"), "/api/upstream/:name/*path");
    }
}
