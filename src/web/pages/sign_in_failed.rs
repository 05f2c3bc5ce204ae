//! A sign-in that failed: what failed, whose fault it was, what to do, and a reference that stands in the log.

use http::StatusCode;
use maud::{Markup, html};
use poem::Response;

use super::login::for_the_operator;
use crate::actions::sign_in::Refused;
use crate::app::SignInProvider;
use crate::oidc::{ProviderError, SignInError, Whose};
use crate::telemetry::{Event, Outcome, SignIn, Step};
use crate::web::access::Visitor;
use crate::web::components::registration;
use crate::web::hypermedia::{Screen, nonce};
use crate::web::purpose::Purpose;
use crate::web::refusal::Refusal;
use crate::web::return_to::ReturnTo;

/// A sign-in that failed, in words for the person and a line for the log.
pub struct Failure {
    status: StatusCode,
    cause: &'static str,
    log: String,
    title: &'static str,
    what: &'static str,
    whose: &'static str,
    /// What the page says to whoever runs this site, where that is no secret.
    for_the_operator: Option<String>,
}

impl Failure {
    /// The provider's answer has a `state` that this browser has nothing to do with.
    pub fn unknown() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            cause: UNKNOWN,
            log: "no sign-in with this state is under way in this browser".to_owned(),
            title: "This sign-in can't be finished",
            what: "It was not started in this browser, or more than ten minutes ago, or your browser did not keep the \
                   cookie that remembers it.",
            whose: "Nothing is broken: start again.",
            for_the_operator: None,
        }
    }

    /// The sign-in has been finished before.
    pub fn spent() -> Self {
        Self {
            cause: "state_spent",
            log: "the sign-in with this state has come back already, and there is no session of it".to_owned(),
            what: "It has come back already, and each can be finished once.",
            ..Self::unknown()
        }
    }

    /// A session asked for it, and it is not the one that brings it back.
    pub fn another_session() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            cause: "another_session",
            log: "the sign-in was asked for by another session than the one that brings it back".to_owned(),
            what: "The session that asked for it has ended meanwhile, or is not this browser's.",
            ..Self::unknown()
        }
    }
}

impl TryFrom<Refused> for Failure {
    type Error = Refusal;

    /// # Errors
    /// What is nobody's sign-in's doing.
    fn try_from(refused: Refused) -> Result<Self, Refusal> {
        let log = refused.to_string();
        let (status, cause, title, what, whose) = match refused {
            Refused::NotAllowed { .. } => (
                StatusCode::FORBIDDEN,
                "not_allowed",
                "You are not on the list",
                "Your provider knows you, and this site lets in only some of the people it knows.",
                "Whoever runs this site decides who may enter: ask them. Signing in again will not help, unless it is \
                 with another account.",
            ),
            Refused::SomebodyElse { .. } => (
                StatusCode::FORBIDDEN,
                "somebody_else",
                "You signed in as somebody else",
                "The account that you chose at the provider is not the one that you are signed in with here.",
                "Start again, and choose that one.",
            ),
            Refused::LinkedToAnother { .. } => (
                StatusCode::CONFLICT,
                "linked_to_another",
                "This account belongs to another member",
                "Somebody signs in here with the account that you chose at the provider, and two members are never made \
                 one.",
                "If that is you too, sign in as that member, and unlink or delete it there first.",
            ),
            Refused::OneThere => (
                StatusCode::CONFLICT,
                "one_there",
                "You have an account at this provider already",
                "One account at each provider is enough, and you are linked with another one there.",
                "To change it, unlink that one first.",
            ),
            Refused::NoMember => return Err(Refusal::NotFound),
            Refused::Unsealable(error) => return Err(Refusal::Internal(error.to_string())),
            Refused::Store(error) => return Err(error.into()),
        };
        Ok(Self { status, cause, log, title, what, whose, for_the_operator: None })
    }
}

impl From<&SignInError> for Failure {
    fn from(error: &SignInError) -> Self {
        let (status, whose) = match error.whose() {
            Whose::Person => (StatusCode::FORBIDDEN, "If this was not what you wanted, start again."),
            Whose::Site => (
                StatusCode::BAD_GATEWAY,
                "This is a mistake in how this site is set up. Whoever runs it will find the reason in its log, under \
                 the reference below.",
            ),
            Whose::Provider => (
                StatusCode::BAD_GATEWAY,
                "This is the provider's doing. Try again in a minute; if it goes on, whoever runs this site will find \
                 the reason in its log, under the reference below.",
            ),
        };
        let (title, what) = words(error);
        let log = match error {
            SignInError::Provider(why) => why.with_advice(),
            other => other.to_string(),
        };
        let for_the_operator = if let SignInError::Provider(why @ ProviderError::Issuer { .. }) = error {
            Some(why.to_string())
        } else {
            None
        };
        Self { status, cause: error.cause(), log, title, what, whose, for_the_operator }
    }
}

/// What failed, in plain words. The provider's own text is not shown as ours.
fn words(error: &SignInError) -> (&'static str, &'static str) {
    match error {
        SignInError::PushRefused { error } | SignInError::Refused { error } | SignInError::CodeRefused { error } => {
            (NOT_SIGNED_IN, refusal(error))
        }
        SignInError::Provider(ProviderError::ClientAuthentication { .. }) => (NOT_SIGNED_IN, NOT_INTRODUCED),
        SignInError::PushUnreadable { .. } => {
            (NOT_SIGNED_IN, "The provider was told that you are coming, and its answer makes no sense.")
        }
        SignInError::Provider(ProviderError::Issuer { .. }) => {
            (NOT_SET_UP, "The provider that this site was told of calls itself by another name, so it was not trusted.")
        }
        SignInError::Provider(ProviderError::NotThere { .. }) => {
            (NOT_SET_UP, "Where this site was told to find the provider, there is none.")
        }
        SignInError::Provider(ProviderError::Tls { .. }) => {
            (NOT_SET_UP, "This site can't make sure that it is the provider it is speaking with.")
        }
        SignInError::Provider(
            ProviderError::Unreachable { .. }
            | ProviderError::Slow { .. }
            | ProviderError::TooLarge { .. }
            | ProviderError::Status { .. }
            | ProviderError::Nonsense { .. },
        ) => ("Your provider is not answering", "It did not answer in time, or not in a way that makes sense."),
        SignInError::IdTokenExpired { .. } | SignInError::IdTokenIssuedAhead { .. } => (
            "The clocks disagree",
            "This site's clock and the provider's are too far apart for a sign-in to be trusted.",
        ),
        SignInError::IdTokenMissing | SignInError::IdTokenAlgorithm { .. } => {
            (NOT_SIGNED_IN, "What the provider sends is not what this site needs.")
        }
        SignInError::AuthTimeMissing => (
            "Your provider does not say when you signed in",
            "This needs a recent sign-in, and your provider can't vouch for one. Sign out and sign in again: it then \
             works for five minutes.",
        ),
        SignInError::AuthTimeTooOld { .. } => {
            (NOT_SIGNED_IN, "This needs a recent sign-in, and your provider did not ask you for one.")
        }
        SignInError::StateMismatch
        | SignInError::ResponseIssuerMismatch { .. }
        | SignInError::ResponseIssuerMissing { .. }
        | SignInError::NoCode => (NOT_SIGNED_IN, "The answer that came back is not the one that was asked for."),
        SignInError::TokenType { .. }
        | SignInError::IdTokenMalformed { .. }
        | SignInError::IdTokenClaimMissing { .. }
        | SignInError::IdTokenUnsigned
        | SignInError::IdTokenType { .. }
        | SignInError::IdTokenKey
        | SignInError::IdTokenSignature { .. }
        | SignInError::IdTokenIssuer { .. }
        | SignInError::IdTokenAudience { .. }
        | SignInError::IdTokenAuthorizedParty { .. }
        | SignInError::IdTokenNonce
        | SignInError::AccessTokenHash
        | SignInError::IdTokenSubject { .. }
        | SignInError::UserinfoSubject { .. } => {
            (NOT_SIGNED_IN, "What the provider said about you did not hold up to checking, so it was not believed.")
        }
    }
}

/// The cause of a sign-in that this browser knows nothing of.
const UNKNOWN: &str = "state_unknown";
const NOT_SIGNED_IN: &str = "You were not signed in";
const NOT_SET_UP: &str = "Sign-in is not set up right";
const NOT_INTRODUCED: &str = "The provider does not accept how this site introduces itself.";

/// Source: RFC 6749, 4.1.2.1 and 5.2; OpenID Connect Core 1.0, 3.1.2.6.
fn refusal(error: &str) -> &'static str {
    match error {
        "access_denied" => "You, or your provider, declined.",
        "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
            "Your provider wants you to do something first, and was not asked to let you."
        }
        "invalid_grant" => "The sign-in took too long, or was sent twice.",
        "server_error" | "temporarily_unavailable" => "Your provider has trouble of its own.",
        _ => NOT_INTRODUCED,
    }
}

/// How far a sign-in has come.
pub struct SoFar {
    /// The provider's name in the configuration; empty where it isn't known.
    pub provider: String,
    /// The steps that were passed.
    pub steps: Vec<Step>,
}

impl SoFar {
    /// Nowhere yet: the provider of this name is to be asked.
    pub fn nowhere(provider: &SignInProvider) -> Self {
        Self { provider: provider.config.name.to_string(), steps: Vec::new() }
    }

    /// It has come to its end, which is logged, counted and remembered under this request's name.
    pub fn end(self, visitor: &Visitor, outcome: Outcome) {
        visitor.app.telemetry.event(Event::SignInEnded(SignIn {
            reference: visitor.request_id.to_string(),
            provider: self.provider,
            steps: self.steps,
            at: visitor.app.clock.now(),
            address: visitor.address,
            outcome,
        }));
    }
}

/// The page that says so, and the line in the log under the same reference.
pub fn failed(visitor: &Visitor, failure: &Failure, so_far: SoFar, purpose: Purpose, return_to: &ReturnTo) -> Response {
    so_far.end(visitor, Outcome::Failed { cause: failure.cause, why: failure.log.clone() });
    let again = purpose.again(&visitor.app, return_to);
    let main = view(visitor, failure, purpose, &again);
    visitor.show(Screen::new(title(failure, purpose), main).status(failure.status))
}

fn title(failure: &Failure, purpose: Purpose) -> &'static str {
    match (purpose, failure.title) {
        (Purpose::Confirm(_), NOT_SIGNED_IN) => "That did not confirm who you are",
        (Purpose::Link(_), NOT_SIGNED_IN) => "Nothing was linked",
        (Purpose::SignIn | Purpose::Confirm(_) | Purpose::Link(_), title) => title,
    }
}

fn view(visitor: &Visitor, failure: &Failure, purpose: Purpose, again: &str) -> Markup {
    let paths = &visitor.app.paths;
    // Nothing failed: it is the person who was not let in, and perhaps for want of an account.
    let is_turned_away =
        purpose == Purpose::SignIn && failure.status == StatusCode::FORBIDDEN && visitor.session.is_none();
    html! {
        section .message {
            h1 tabindex="-1" { (title(failure, purpose)) }
            p { (failure.what) }
            @if failure.cause == UNKNOWN {
                @let base_url = visitor.app.config.base_url.join("/");
                p { "This site's address is " a href=(base_url) { (base_url) } ": a sign-in that starts at another one ends here." }
            }
            p { (failure.whose) @if visitor.session.is_some() { " Nothing was changed: you are signed in as before." } }
            (for_the_operator(failure.for_the_operator.as_slice()))
            @if is_turned_away { (registration(&visitor.app)) }
            p {
                a .button href=(again) rel="nofollow" hx-boost="false" hx-nonce=(nonce()) { "Start again" }
                " " a href=(paths.feed()) { "To the feed" }
            }
            p .note { "Reference: " code { (visitor.request_id) } }
        }
    }
}
