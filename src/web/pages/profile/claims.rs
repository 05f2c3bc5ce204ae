//! What the provider says of the person.

use maud::{Markup, html};
use serde_json::{Map, Value};

/// Claims that are about the token rather than the person. Source: RFC 7519, 4.1; OpenID Connect Core 1.0, 2.
const OF_THE_TOKEN: &[&str] =
    &["acr", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "exp", "iat", "jti", "nbf", "nonce", "sid"];

pub(super) fn section(claims: &Map<String, Value>) -> Markup {
    let of_the_person = claims.iter().filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str()));
    html! {
        section {
            h2 { "What your provider says of you" }
            dl .claims {
                @for (name, value) in of_the_person {
                    div {
                        dt { (name) }
                        dd { (spoken(value)) }
                    }
                }
            }
        }
    }
}

/// A claim's value as a person writes it.
pub(super) fn spoken(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(list) if list.is_empty() => "–".to_owned(),
        Value::Array(list) => list.iter().map(spoken).collect::<Vec<_>>().join(", "),
        Value::Null => "–".to_owned(),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
