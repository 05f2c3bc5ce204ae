//! Thoughts as JSON.

use http::StatusCode;
use http::header::{LINK, LOCATION};
use poem::web::Path;
use poem::{Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use crate::actions::share::{self, Outcome};
use crate::actions::{delete, edit, read};
use crate::domain::Invalid;
use crate::domain::id::ThoughtId;
use crate::domain::markdown;
use crate::domain::thought::{Authored, Message, NewThought, Once};
use crate::domain::visibility::Visibility;
use crate::web::Refusal;
use crate::web::access::{Caller, Visitor};
use crate::web::form::{Json, named};

/// `GET /api/thoughts`, `?before=<id>`: a page; `Link: <…>; rel="next"` while there is more (RFC 8288).
#[handler]
pub async fn list(visitor: Visitor) -> Result<Response, Refusal> {
    let before = match visitor.query().get("before") {
        "" => None,
        text => Some(text.parse().map_err(|error| invalid("before", format!("`{text}` is {error}.")))?),
    };
    let page = read::feed(&visitor.app, &visitor.viewer, before).await?;
    let thoughts: Vec<_> = page.items.iter().map(shown).collect();
    let mut response = json(StatusCode::OK, &json!({ "thoughts": thoughts }))?;
    if let Some(next) = page.next {
        let url = visitor.app.absolute(&visitor.app.paths.api_before(next));
        set(&mut response, LINK, &format!("<{url}>; rel=\"next\""));
    }
    Ok(response)
}

/// `GET /api/thoughts/{id}`
#[handler]
pub async fn get(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let authored = read::thought(&visitor.app, &visitor.viewer.reach(), named::<ThoughtId>(&id)?).await?;
    json(StatusCode::OK, &shown(&authored))
}

/// What is sent to share or change a thought, so that what was given can be sent back changed; other members of the
/// object are not looked at.
#[derive(Deserialize)]
struct Sent {
    message: Option<Value>,
    visibility: Option<Value>,
    once: Option<Value>,
}

impl Sent {
    /// The thought in it; each field that is wrong is named. To change one, what isn't sent stays as it is.
    fn parse(self, before: Option<&Authored>) -> Result<(NewThought, Option<Once>), Refusal> {
        let before = before.map(|authored| &authored.thought);
        let message = match (text("message", self.message), before) {
            (Ok(None), Some(thought)) => Ok(thought.message.clone()),
            (sent, _) => sent.and_then(|text| Message::parse(&text.unwrap_or_default())),
        };
        let visibility = match (text("visibility", self.visibility), before) {
            (Ok(None), Some(thought)) => Ok(thought.visibility.clone()),
            (sent, _) => sent.and_then(|text| text.unwrap_or_default().parse::<Visibility>()),
        };
        let once = text("once", self.once).and_then(|text| text.map(|text| Once::parse(&text)).transpose());
        match (message, visibility, once) {
            (Ok(message), Ok(visibility), Ok(once)) => Ok((NewThought { message, visibility }, once)),
            (message, visibility, once) => {
                let errors = [message.err(), visibility.err(), once.err()];
                Err(Refusal::Invalid(errors.into_iter().flatten().collect()))
            }
        }
    }
}

fn text(field: &'static str, value: Option<Value>) -> Result<Option<String>, Invalid> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Invalid::new(field, format!("This is `{other}`, and must be text."))),
    }
}

/// `POST /api/thoughts`: 201 with `Location`.
#[handler]
pub async fn post(caller: Caller, Json(sent): Json<Sent>) -> Result<Response, Refusal> {
    let (new, once) = sent.parse(None)?;
    share::share(&caller.app, &caller.member, new, once.as_ref(), |outcome| match outcome {
        Outcome::Shared(authored) => {
            let mut response = json(StatusCode::CREATED, &shown(authored))?;
            set(&mut response, LOCATION, &caller.app.paths.api_thought(authored.thought.id));
            Ok(response)
        }
        // JSON has no thought that is deleted, and one that is not would be a lie.
        Outcome::Deleted(_) => Err(Refusal::NotFound),
    })
    .await?
}

/// `PUT /api/thoughts/{id}`: 200 with the thought as it is now.
#[handler]
pub async fn put(caller: Caller, Path(id): Path<String>, Json(sent): Json<Sent>) -> Result<Response, Refusal> {
    let id = named::<ThoughtId>(&id)?;
    let before = edit::editable(&caller.app, &caller.member, id).await?;
    let (change, _) = sent.parse(Some(&before))?;
    let authored = edit::edit(&caller.app, &caller.member, id, &change).await?;
    json(StatusCode::OK, &shown(&authored))
}

/// `DELETE /api/thoughts/{id}`: 204.
#[handler]
pub async fn delete_thought(caller: Caller, Path(id): Path<String>) -> Result<Response, Refusal> {
    delete::delete(&caller.app, &caller.member, named::<ThoughtId>(&id)?).await?;
    Ok(Response::builder().status(StatusCode::NO_CONTENT).finish())
}

fn shown(Authored { thought, author }: &Authored) -> Value {
    json!({
        "id": thought.id.to_string(),
        "message": thought.message,
        "html": markdown::render(&thought.message).as_str(),
        "visibility": thought.visibility,
        "author": { "handle": author.handle, "name": author.name },
        "created_at": thought.created_at,
        "edited_at": thought.edited_at,
    })
}

fn invalid(field: &'static str, message: String) -> Refusal {
    Refusal::Invalid(vec![Invalid::new(field, message)])
}

fn set(response: &mut Response, name: http::HeaderName, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}
