//! What can be wrong with the settings, each as one line for the person who wrote them.

use std::io;

/// Why a text is not the value it should be: goes on after "`KEY` is `value`: ", says what would be right, and ends with
/// a full stop. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(String);

impl Wrong {
    /// The reason, as the rest of a sentence: "sign-in cookies need https. Use `https://example.org`."
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Why the program cannot start with these settings. Its `Display` is one line that names the key as it was written, what
/// was wrong, and what would be right; neither that line nor `Debug` holds a secret. The command line ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable or a key of the file that no setting has.
    #[error("{key} is not a setting: {hint}")]
    Unknown {
        /// The key as it was written, in backticks, with its place.
        key: String,
        /// What was meant, as far as one can tell.
        hint: String,
    },
    /// A setting without a default, not given.
    #[error("{key} is missing: {meaning}")]
    Missing {
        /// The key as it would be written, in backticks, with its place.
        key: String,
        /// What the setting is.
        meaning: &'static str,
    },
    /// A value that cannot be used.
    #[error("{key} is {value}: {wrong}")]
    Value {
        /// The key as it was written.
        key: String,
        /// The value in backticks, or words that stand for a secret.
        value: String,
        /// What would be right.
        wrong: Wrong,
    },
    /// One value of a list that cannot be used.
    #[error("{key} holds {item}: {wrong}")]
    Item {
        /// The key as it was written.
        key: String,
        /// The value in backticks, or words that stand for a secret.
        item: String,
        /// What would be right.
        wrong: Wrong,
    },
    /// Two settings that are good by themselves but not together.
    #[error("{first} and {second} {wrong}")]
    Together {
        /// The one key as it was written.
        first: String,
        /// The other.
        second: String,
        /// Why they do not go together, and what to change.
        wrong: Wrong,
    },
    /// A file that was named and cannot be read.
    #[error("{file} cannot be read: {cause}. Correct its path or who may read it.")]
    Unreadable {
        /// The file and the key that named it.
        file: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A configuration file that is not TOML.
    #[error("{file} is not TOML at line {line}: {message}. Write `key = \"value\"`, one a line.")]
    NotToml {
        /// The file, in backticks.
        file: String,
        /// The line that could not be read, counted from 1.
        line: usize,
        /// What the parser expected; it quotes nothing of the file.
        message: String,
    },
    /// `thoughts serve` without anyone who could sign people in.
    #[error(
        "no provider is configured: set `THOUGHTS_OIDC_ISSUER`, `THOUGHTS_OIDC_CLIENT_ID` and `THOUGHTS_OIDC_CLIENT_SECRET`, or try Thoughts without one by `thoughts demo`."
    )]
    NoProvider,
}

/// A text in backticks that stays on one line, and without what stands before the `@` of a URL.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 200;
    let text = match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}://[secret]{}", &text[..scheme], &text[at..])
        }
        _ => text.to_owned(),
    };
    let mut line = String::from("`");
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            line.push('…');
            break;
        }
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line.push('`');
    line
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quoted_text_stays_on_one_line() {
        assert_eq!(quoted("a\nb\t\u{1b}[31m"), r"`a\nb\t\u{1b}[31m`");
    }

    #[test]
    fn a_quoted_address_keeps_its_password_to_itself() {
        assert_eq!(quoted("https://ann:p/w@example.org/x"), "`https://[secret]@example.org/x`");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(quoted(&"é".repeat(300)), format!("`{}…`", "é".repeat(200)));
    }
}
