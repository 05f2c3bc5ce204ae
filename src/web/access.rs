//! Who may use a route: declared in its row, enforced by one guard, proved to its handler by a type.
//!
//! A handler takes a [`Visitor`], a [`Member`], an [`Admin`] or a [`Caller`]. Only the guard makes them, so a handler that
//! wants a `Member` under a row that doesn't ask for one is refused at every call, never let through.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::{FutureExt as _, TryFutureExt as _};
use http::header::{CONTENT_ENCODING, IF_NONE_MATCH, VARY};
use http::{HeaderValue, Method, StatusCode};
use poem::endpoint::{BoxEndpoint, DynEndpoint};
use poem::{Endpoint, FromRequest, Request, RequestBody, Response};
use tower_cookies::Cookies;

use super::cookies::{self, Sent};
use super::form::Fields;
use super::origin;
use super::proxy::client_address;
use super::refusal::{Came, Refusal};
use super::request::{HX_TARGET, Kind, by_htmx, by_itself, changes, path_and_query, restores, takes, text};
use super::{bearer, sign_in_cookies, unsent};
use crate::actions::sessions::{self, Use};
use crate::app::App;
use crate::config::Anonymous;
use crate::domain::api_token::ApiToken;
use crate::domain::member;
use crate::domain::policy::{Viewer, administers};
use crate::domain::session::{End, Session};
use crate::paths;
use crate::store::SignedIn;
use crate::telemetry::RequestId;

/// Who may use a route. There is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, always.
    Public,
    /// Anyone, or members alone where `THOUGHTS_ANONYMOUS=none`.
    Reader,
    /// Whoever is signed in.
    Member,
    /// Whoever is signed in and an admin.
    Admin,
    /// A provider, over the back channel: what it sends proves itself, and no browser's origin is asked for.
    Provider,
}

impl Access {
    /// Whether this viewer may use the route.
    ///
    /// # Errors
    /// `SignIn` where a sign-in could help, `Forbidden` where it could not.
    fn admit(self, viewer: &Viewer, anonymous: Anonymous) -> Result<(), Refusal> {
        match (self, viewer) {
            (Self::Public | Self::Provider, _) | (Self::Reader | Self::Member, Viewer::Member(_)) => Ok(()),
            (Self::Reader, Viewer::Anonymous) => match anonymous {
                Anonymous::Read => Ok(()),
                Anonymous::None => Err(Refusal::SignIn),
            },
            (Self::Admin, Viewer::Member(member)) if administers(member) => Ok(()),
            (Self::Admin, Viewer::Member(_)) => Err(Refusal::Forbidden(FOR_ADMINS)),
            (Self::Member | Self::Admin, Viewer::Anonymous) => Err(Refusal::SignIn),
        }
    }
}

const FOR_ADMINS: &str = "This is for admins. Your provider says who is one, when you sign in.";

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "Public",
            Self::Reader => "Reader",
            Self::Member => "Member",
            Self::Admin => "Admin",
            Self::Provider => "Provider",
        })
    }
}

/// Whoever is looking, signed in or not, and what they asked for. Made once for each request, and shared from then on.
#[derive(Clone)]
pub struct Visitor(Arc<Asking>);

/// What is known of a [`Visitor`].
pub struct Asking {
    /// The program.
    pub app: Arc<App>,
    /// Who may use the row that they ask at.
    access: Access,
    /// Who is looking.
    pub viewer: Viewer,
    /// Through which session, if they are signed in.
    pub session: Option<Arc<Session>>,
    /// With which API token, if a program asks in a member's stead. Then there is no session, and no cookie counts.
    pub token: Option<ApiToken>,
    /// What kind of answer they asked for.
    pub kind: Kind,
    /// The path and query they asked for, with the base path.
    pub path: String,
    /// The request's name.
    pub request_id: RequestId,
    /// Where the browser is, as far as is known.
    pub address: Option<IpAddr>,
    /// What they have sent of the cookies that every page asks for.
    pub sent: Sent,
    /// All of their cookies, and those they will be given.
    pub cookies: Cookies,
    /// Whether they take a page packed by gzip.
    pub gzip: bool,
    /// Their browser's own copy of the answer: `If-None-Match`.
    pub if_none_match: Option<String>,
    /// What htmx would put a fragment in the place of, or into: a tag, `#` and an id.
    pub target: Option<String>,
    /// Why the session ended that their browser still holds, if it has and that is known.
    pub ended: Option<End>,
    /// Whether htmx asks, and would itself go where a redirect leads.
    pub by_htmx: bool,
    /// Whether it asks in the browser's stead, to restore a page.
    pub restores: bool,
    /// The version of everything that a page could show, from before any of it was read: who is looking, too.
    pub version: Option<u64>,
}

impl Deref for Visitor {
    type Target = Asking;

    fn deref(&self) -> &Asking {
        &self.0
    }
}

impl Visitor {
    /// Finds out who is asking.
    ///
    /// # Errors
    /// `Unavailable` where the store can't say, `InvalidToken` where the API is shown a token that is not good.
    pub async fn of(app: &Arc<App>, access: Access, request: &Request) -> Result<Self, Refusal> {
        let mut asking = Asking::nobody(app, access, request);
        if asking.kind == Kind::Api
            && let Some((member, token)) = bearer::holder_of(app, request.headers()).await?
        {
            (asking.viewer, asking.token) = (Viewer::Member(Arc::new(member)), Some(token));
        } else if let Some(hash) = asking.sent.session {
            if let Some(SignedIn { member, session }) = sessions::resume(app, hash, used(app, request)).await? {
                (asking.viewer, asking.session) = (Viewer::Member(member), Some(session));
            } else {
                // The cookie is left: another tab's sign-in may have replaced it meanwhile, and this answer must not
                // take back the new one. That it was kept says that nobody goes round here for want of it.
                sign_in_cookies::forget_done(app, &asking.cookies);
                asking.ended = sessions::why_ended(app, hash).await?;
            }
        } else if asking.sent.unreadable {
            cookies::forget_session(app, &asking.cookies);
        }
        Ok(Self(Arc::new(asking)))
    }

    /// A visitor of whom nothing is known, for when it can't be found out.
    pub fn stranger(app: &Arc<App>, access: Access, request: &Request) -> Self {
        Self(Arc::new(Asking::nobody(app, access, request)))
    }

    /// The fields of the request's query.
    pub fn query(&self) -> Fields {
        Fields::parse(self.path.split_once('?').map_or("", |(_, query)| query).as_bytes())
    }
}

impl Asking {
    /// What can be read off the request.
    fn nobody(app: &Arc<App>, access: Access, request: &Request) -> Self {
        let headers = request.headers();
        Self {
            app: app.clone(),
            access,
            viewer: Viewer::Anonymous,
            session: None,
            token: None,
            kind: Kind::of(below_base(app, request), headers),
            path: path_and_query(request),
            request_id: RequestId::current().unwrap_or_else(|| RequestId::new([0; 9])),
            address: client_address(app, request),
            sent: Sent::of(headers, app.config.base_url.is_https()),
            cookies: request.extensions().get::<Cookies>().cloned().unwrap_or_default(),
            gzip: takes(headers, "gzip"),
            if_none_match: text(headers, IF_NONE_MATCH).map(str::to_owned),
            target: text(headers, &HX_TARGET).map(str::to_owned),
            ended: None,
            by_htmx: by_htmx(headers),
            restores: restores(headers),
            version: app.version(),
        }
    }
}

/// Whether a person asks, or a page by itself: it listens to what changes, and then says so of what it asks for.
fn used(app: &App, request: &Request) -> Use {
    let no_person = below_base(app, request) == paths::EVENTS || by_itself(request.headers());
    if no_person { Use::Watches } else { Use::Counts }
}

/// The path that was asked for, without the base path, wherever in the routing this is asked.
fn below_base<'a>(app: &App, request: &'a Request) -> &'a str {
    let path = request.original_uri().path();
    path.strip_prefix(app.paths.base()).unwrap_or(path)
}

impl<'a> FromRequest<'a> for Visitor {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let visitor = request.extensions().get::<Self>().cloned();
        Ok(visitor.ok_or_else(|| Refusal::Internal("a handler stands before the guard".to_owned()))?)
    }
}

/// Proof that a member is asking by themselves, signed in with a browser: what every page takes, and whatever else needs
/// a session.
#[derive(Clone)]
pub struct Member {
    /// Who it is.
    pub member: Arc<member::Member>,
    /// Through which session.
    pub session: Arc<Session>,
    visitor: Visitor,
}

impl Deref for Member {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Member {
    /// The member who asks, where the row asks for one by this access.
    async fn under(access: Access, request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let visitor = Visitor::from_request(request, body).await?;
        match (visitor.access == access, visitor.viewer.clone(), visitor.session.clone()) {
            (true, Viewer::Member(member), Some(session)) => Ok(Self { member, session, visitor }),
            (true, Viewer::Member(_), None) => {
                Err(Refusal::Forbidden("An API token can't do this: it needs a person who is signed in.").into())
            }
            _ => Err(Refusal::Internal(format!("a handler wants a {access}, and its row asks for none")).into()),
        }
    }
}

impl AsRef<Self> for Member {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl<'a> FromRequest<'a> for Member {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        Self::under(Access::Member, request, body).await
    }
}

/// Proof that an admin is asking by themselves, signed in with a browser.
#[derive(Clone)]
pub struct Admin(Member);

impl Deref for Admin {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

impl AsRef<Member> for Admin {
    fn as_ref(&self) -> &Member {
        &self.0
    }
}

impl<'a> FromRequest<'a> for Admin {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let member = Member::under(Access::Admin, request, body).await?;
        if administers(&member.member) { Ok(Self(member)) } else { Err(Refusal::Forbidden(FOR_ADMINS).into()) }
    }
}

/// Proof that a member is asking, by themselves or through a program with an API token of theirs: what the API takes.
#[derive(Clone)]
pub struct Caller {
    /// Who it is.
    pub member: Arc<member::Member>,
    visitor: Visitor,
}

impl Deref for Caller {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl<'a> FromRequest<'a> for Caller {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let visitor = Visitor::from_request(request, body).await?;
        match (visitor.access, visitor.viewer.clone()) {
            (Access::Member, Viewer::Member(member)) => Ok(Self { member, visitor }),
            _ => Err(Refusal::Internal("a handler wants a Caller, and its row does not ask for one".to_owned()).into()),
        }
    }
}

/// The guard: wrapped round every row of the table, and around nothing else.
pub struct Guarded {
    /// The program.
    pub app: Arc<App>,
    /// Who may pass.
    pub access: Access,
    /// What stands behind.
    pub inner: BoxEndpoint<'static, Response>,
}

impl Endpoint for Guarded {
    type Output = Response;

    fn call(&self, mut request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        let came = Came::of(&request);
        // The request stands in this future once; an `async fn` has a place for what it is given, and one for what it does
        // with that.
        async move {
            let visitor = match caught(self.visitor(&request)).await {
                Ok(visitor) => visitor,
                Err(refusal) => return Ok(refusal.answer(&Visitor::stranger(&self.app, self.access, &request), &came)),
            };
            request.extensions_mut().insert(visitor.clone());
            let admitted = self.may_ask(&visitor, &request).and_then(|()| {
                let anonymous = self.app.config.anonymous;
                self.access.admit(&visitor.viewer, anonymous)
            });
            let (answer, came) = match admitted {
                Ok(()) => {
                    let answering = DynEndpoint::call(&*self.inner, request);
                    (caught(answering.map_err(Refusal::from)).await, came)
                }
                // A form that comes too late is not lost. Boxed, for it is large and seldom.
                Err(Refusal::SignIn) => match Box::pin(caught(unsent::keep(&visitor, &mut request))).await {
                    Ok(Some(form)) => (Err(Refusal::SignIn), came.on_page(form)),
                    Ok(None) => (Err(Refusal::SignIn), came),
                    Err(refusal) => (Err(refusal), came),
                },
                Err(refusal) => (Err(refusal), came),
            };
            let mut answer = answer.unwrap_or_else(|refusal| refusal.answer(&visitor, &came));
            if visitor.kind != Kind::Api {
                let is_of_kept = visitor.gzip && answer.status() == StatusCode::NOT_MODIFIED;
                let headers = answer.headers_mut();
                // What is not packed may be given to anyone by whoever has kept it.
                let packed = is_of_kept || headers.contains_key(CONTENT_ENCODING);
                let varies_by = if packed { VARIES_BY_CODING } else { VARIES_BY };
                headers.entry(VARY).or_insert(HeaderValue::from_static(varies_by));
            }
            Ok(answer)
        }
    }
}

/// What a page or a fragment depends on, besides its address.
const VARIES_BY: &str = "HX-Request, HX-Request-Type, Cookie";

/// The same of one that is packed, or that holds where it was.
const VARIES_BY_CODING: &str = "HX-Request, HX-Request-Type, Cookie, Accept-Encoding";

/// What comes of this; a panic in it is this one request's.
fn caught<T>(work: impl Future<Output = Result<T, Refusal>>) -> impl Future<Output = Result<T, Refusal>> {
    let broken = |_| Err(Refusal::Internal("it panicked".to_owned()));
    AssertUnwindSafe(work).catch_unwind().map(move |outcome| outcome.unwrap_or_else(broken))
}

impl Guarded {
    /// Whether a request of this method may come from there, with that token. A page can't make a browser send a token
    /// of somebody's, so that where the request comes from says nothing.
    fn may_ask(&self, visitor: &Visitor, request: &Request) -> Result<(), Refusal> {
        match &visitor.token {
            None => origin::check(&self.app, self.access, request),
            Some(token) if token.scope.may_change() || !changes(request.method()) => Ok(()),
            Some(_) => Err(Refusal::InsufficientScope),
        }
    }

    async fn visitor(&self, request: &Request) -> Result<Visitor, Refusal> {
        match Visitor::of(&self.app, self.access, request).await {
            // What is public can be looked at whatever the store does: /healthz, the style sheet, the way to sign in.
            // What changes something can't do with less than the truth: nobody is told that they are signed out.
            Err(Refusal::Unavailable(_) | Refusal::Internal(_))
                if self.access == Access::Public && *request.method() == Method::GET =>
            {
                Ok(Visitor::stranger(&self.app, self.access, request))
            }
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use poem::EndpointExt as _;
    use poem::endpoint::make;

    use super::*;
    use crate::clock::Clock;
    use crate::config::{Config, Sources};

    #[test]
    fn a_reader_route_is_for_members_alone_where_the_configuration_says_so() {
        assert!(Access::Reader.admit(&Viewer::Anonymous, Anonymous::Read).is_ok());
        assert!(Access::Reader.admit(&Viewer::Anonymous, Anonymous::None).is_err());
        assert!(Access::Public.admit(&Viewer::Anonymous, Anonymous::None).is_ok());
    }

    #[tokio::test]
    async fn a_panic_is_answered_as_what_broke_and_the_next_request_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources::default()
            .with("THOUGHTS_BASE_URL", "http://localhost:3000")
            .with("THOUGHTS_STORE", &format!("sled:{}", folder.path().display()))
            .with("THOUGHTS_OIDC_ISSUER", "http://localhost:9")
            .with("THOUGHTS_OIDC_CLIENT_ID", "thoughts");
        let app = App::open(Config::load(&sources).unwrap(), Clock::manual()).await.unwrap();
        let inner = make(|request: Request| async move {
            assert_ne!(request.uri().path(), "/breaks", "this one is to panic");
            Ok::<_, poem::Error>(Response::from("served"))
        })
        .boxed();
        let guarded = Guarded { app: app.clone(), access: Access::Public, inner };
        let ask = |path: &'static str| guarded.get_response(Request::builder().uri_str(path).finish());
        let broken = ask("/breaks").await;
        assert_eq!(broken.status(), 500);
        let page = broken.into_body().into_string().await.unwrap();
        assert!(page.contains("<h1") && !page.contains("panic"), "{page}");
        assert_eq!(ask("/").await.status(), 200);
        app.store.close().await.unwrap();
    }
}
