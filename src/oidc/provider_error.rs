//! What can go wrong with a provider, whatever it is asked for, and what to do about it.

use std::time::Duration;

use super::error::{Whose, by_a_slash};

/// The provider could not be asked, or what it answered is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No connection, or one that broke.
    #[error("{endpoint} can't be reached: {why}")]
    Unreachable {
        /// The address without its query.
        endpoint: String,
        /// What the network said.
        why: String,
    },
    /// No whole answer in time.
    #[error("{endpoint} took more than {} s to answer", limit.as_secs_f32())]
    Slow {
        /// The address without its query.
        endpoint: String,
        /// How long it had.
        limit: Duration,
    },
    /// An answer without an end.
    #[error("{endpoint} answered with more than {limit} bytes")]
    TooLarge {
        /// The address without its query.
        endpoint: String,
        /// How much it could have sent, in bytes.
        limit: usize,
    },
    /// A status that is never an answer of the protocol: a redirect (none is followed) or a server's error.
    #[error("{endpoint} answered {status}, not 200")]
    Status {
        /// The address without its query.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer that isn't what the specification says.
    #[error("{what} is not what the specification says: {why}")]
    Nonsense {
        /// Which answer.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The provider takes nothing by which we could say who we are. Source: OpenID Connect Core 1.0, 9.
    #[error("this site can't prove to the provider who it is: {why}")]
    ClientAuthentication {
        /// What we have, what it takes, and what to do.
        why: String,
    },
    /// Where the provider's metadata should be is something else: the issuer is another address.
    /// Source: OpenID Connect Discovery 1.0, 4.
    #[error("{endpoint} {found}: no provider's metadata are there")]
    NotThere {
        /// The well-known address.
        endpoint: String,
        /// What it did instead: `answered 404`.
        found: String,
    },
    /// Nobody can know that it is the provider at the other end. Source: RFC 9110, 4.3.4.
    #[error("{endpoint} can't be reached over TLS: {why}")]
    Tls {
        /// The address without its query.
        endpoint: String,
        /// What is wrong with its certificate, or that it speaks no TLS.
        why: String,
    },
    /// The provider calls itself something else than what is configured. Source: OpenID Connect Discovery 1.0, 4.3.
    #[error("the provider calls itself {found}, you configured {configured}{}", by_a_slash(found, configured))]
    Issuer {
        /// The `issuer` in its metadata.
        found: String,
        /// The `issuer` in the settings.
        configured: String,
    },
}

impl ProviderError {
    /// A stable label for metrics and the log.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "provider_unreachable",
            Self::Slow { .. } => "provider_slow",
            Self::TooLarge { .. } => "provider_too_large",
            Self::Status { .. } => "provider_status",
            Self::Nonsense { .. } => "provider_nonsense",
            Self::ClientAuthentication { .. } => "client_authentication",
            Self::NotThere { .. } => "provider_not_there",
            Self::Tls { .. } => "provider_tls",
            Self::Issuer { .. } => "provider_issuer_mismatch",
        }
    }

    /// Who can do something about it.
    pub fn whose(&self) -> Whose {
        match self {
            Self::ClientAuthentication { .. } | Self::NotThere { .. } | Self::Tls { .. } | Self::Issuer { .. } => {
                Whose::Site
            }
            Self::Unreachable { .. }
            | Self::Slow { .. }
            | Self::TooLarge { .. }
            | Self::Status { .. }
            | Self::Nonsense { .. } => Whose::Provider,
        }
    }

    /// The line for whoever runs this site: what happened, and what to do.
    pub fn with_advice(&self) -> String {
        match self {
            Self::Issuer { found, .. } => format!("{self}. Set its issuer to `{found}`, to the letter"),
            Self::NotThere { .. } => format!(
                "{self}. The issuer is the address that comes before /.well-known/openid-configuration, as the \
                 provider's own pages name it"
            ),
            Self::Tls { .. } => format!(
                "{self}. Its certificate must be for this host, not have expired, and be signed by an authority that \
                 is among the system's: add your own there. Where it speaks no TLS at all, the issuer begins with http"
            ),
            Self::Unreachable { endpoint, .. } | Self::Slow { endpoint, .. } => {
                format!("{self}. Open {endpoint} from this machine")
            }
            Self::Status { .. } | Self::Nonsense { .. } | Self::TooLarge { .. } => {
                format!("{self}. The provider's own log says more")
            }
            Self::ClientAuthentication { .. } => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_that_differs_by_a_slash_is_told_so_and_both_are_named() {
        let error =
            ProviderError::Issuer { found: "https://id.example/".into(), configured: "https://id.example".into() };
        assert_eq!(
            error.to_string(),
            "the provider calls itself https://id.example/, you configured https://id.example: \
             they differ by a final slash"
        );
    }
}
