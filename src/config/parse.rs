//! From the text of one value to its type.

use std::{path::PathBuf, time::Duration};

use http::Method;
use ipnet::IpNet;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::error::{Wrong, quoted};

/// A type that a person writes as text. The only place that knows the type's rule.
pub trait Parse: Sized {
    /// Whether the text must never be shown.
    const SECRET: bool = false;
    /// What separates the values where several are written in one text.
    const SEPARATORS: &'static [char] = &[',', ' ', '\n', '\t'];

    /// Errors: what is wrong with the text and what would be right; the text is not empty.
    fn parse(text: &str) -> Result<Self, Wrong>;

    /// The text as an error may show it.
    fn shown(text: &str) -> String {
        if Self::SECRET { "a secret, not shown here".to_owned() } else { quoted(text) }
    }
}

/// An enum of the configuration, each variant with the word that stands for it.
macro_rules! words {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$meaning])* $variant,)+ }

        impl Parse for $name {
            fn parse(text: &str) -> Result<Self, Wrong> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Wrong::new(format!("it can be {}.", [$(concat!("`", $word, "`")),+].join(" or ")))),
                }
            }
        }
    };
}

words! {
    /// What who has not signed in may see.
    pub enum Anonymous {
        /// Anyone may read public thoughts.
        Read = "read",
        /// Nothing without signing in.
        None = "none",
    }
}

words! {
    /// The shape of the log's lines.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

/// Free text of one line: a client id, an audience, the name of a claim.
impl Parse for String {
    fn parse(text: &str) -> Result<Self, Wrong> {
        if text.chars().any(char::is_control) {
            return Err(Wrong::new("it must be one line of text."));
        }
        Ok(text.to_owned())
    }
}

impl Parse for PathBuf {
    fn parse(text: &str) -> Result<Self, Wrong> {
        Ok(Self::from(text))
    }
}

/// More than nothing and at most 100 years, so that adding it to a time cannot overflow.
impl Parse for Duration {
    fn parse(text: &str) -> Result<Self, Wrong> {
        const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);
        let example = "Use a number and its unit, like `30s`, `15m`, `12h` or `7d`.";
        let length = humantime::parse_duration(text)
            .map_err(|_| Wrong::new(format!("that is not a length of time. {example}")))?;
        if length.is_zero() {
            return Err(Wrong::new(format!("it must be more than nothing. {example}")));
        }
        if length > LONGEST {
            return Err(Wrong::new(format!("it must be at most 100 years. {example}")));
        }
        Ok(length)
    }
}

/// A network; an address by itself is the network that holds it alone.
impl Parse for IpNet {
    fn parse(text: &str) -> Result<Self, Wrong> {
        text.parse()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
            .map_err(|_| Wrong::new("that is neither a network nor an address. Use one like `10.0.0.0/8` or `::1`."))
    }
}

impl Parse for Method {
    fn parse(text: &str) -> Result<Self, Wrong> {
        const KNOWN: [Method; 6] =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        KNOWN.into_iter().find(|method| method.as_str() == text).ok_or_else(|| {
            Wrong::new(
                "that is not a method to pass on. Use `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`, in capitals.",
            )
        })
    }
}

/// A filter of the log. `Targets` takes any bare word for the name of a module, and a misspelt level would silence the rest.
impl Parse for Targets {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let example = "Use `error`, `warn`, `info`, `debug`, `trace` or `off`, and `module=level` after a comma, like `info,thoughts=debug`.";
        for part in text.split(',').filter(|part| !part.contains('=')) {
            if part.parse::<LevelFilter>().is_err() || part.is_empty() {
                return Err(Wrong::new(format!("{} is not a level. {example}", quoted(part))));
            }
        }
        text.parse().map_err(|_| Wrong::new(format!("that is not a filter. {example}")))
    }
}

/// A number of bytes, more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    /// How many.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl Parse for Bytes {
    fn parse(text: &str) -> Result<Self, Wrong> {
        match text.parse() {
            Ok(0) | Err(_) => {
                Err(Wrong::new("it must be a whole number of bytes, at least 1. Use one like `10485760`."))
            }
            Ok(bytes) => Ok(Self(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Anonymous, Bytes, IpNet, Method, Parse, Targets};

    #[test]
    fn a_length_of_time_needs_its_unit_and_is_more_than_nothing() {
        assert_eq!(Duration::parse("1h 30m"), Ok(Duration::from_mins(90)));
        for text in ["7", "0s", "-1d", "200y", "soon"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_the_network_that_holds_it_alone() {
        assert_eq!(<IpNet as Parse>::parse("10.0.0.1").map(|net| net.to_string()), Ok("10.0.0.1/32".to_owned()));
        assert!(<IpNet as Parse>::parse("10.0.0.0/33").is_err());
    }

    #[test]
    fn a_misspelt_level_is_refused_rather_than_taken_for_a_module() {
        assert_eq!(
            Targets::parse("inf").map_err(|wrong| wrong.to_string()),
            Err("`inf` is not a level. Use `error`, `warn`, `info`, `debug`, `trace` or `off`, and `module=level` after a comma, like `info,thoughts=debug`.".to_owned())
        );
        assert!(Targets::parse("warn,thoughts=debug").is_ok());
        assert!(Targets::parse("thoughts=loud").is_err());
    }

    #[test]
    fn a_word_that_is_not_among_the_words_is_refused_with_them() {
        assert_eq!(Anonymous::parse("none"), Ok(Anonymous::None));
        assert_eq!(
            Anonymous::parse("yes").map_err(|wrong| wrong.to_string()),
            Err("it can be `read` or `none`.".to_owned())
        );
    }

    #[test]
    fn a_method_is_one_that_can_be_passed_on() {
        assert_eq!(<Method as Parse>::parse("PATCH"), Ok(Method::PATCH));
        assert!(<Method as Parse>::parse("get").is_err());
        assert!(<Method as Parse>::parse("CONNECT").is_err());
    }

    #[test]
    fn a_limit_is_a_whole_number_of_bytes() {
        assert_eq!(Bytes::parse("1").map(Bytes::get), Ok(1));
        assert!(Bytes::parse("0").is_err());
        assert!(Bytes::parse("10MB").is_err());
    }
}
