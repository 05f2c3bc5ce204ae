//! What can go wrong in the provider itself.

/// Why the provider could not start, or could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The issuer is not a URL that this provider can be.
    #[error(
        "the demo provider's issuer is `{0}`: it must be http or https with a host and no path, query or fragment, \
         like `http://localhost:3001`"
    )]
    Issuer(String),
    /// The listener can be reached from other machines; a provider that lets everyone in must not be.
    #[error("the demo provider would listen on `{0}`: it lets everyone in, so it must be a loopback address")]
    NotLoopback(std::net::SocketAddr),
    /// The listener could not be used.
    #[error("the demo provider cannot listen: {0}")]
    Listener(#[from] std::io::Error),
    /// A signing key could not be made, read or used.
    #[error("the demo provider's signing key (RSA, PKCS#1 PEM) cannot be used: {0}")]
    Key(String),
    /// The client for back-channel calls could not be made.
    #[error("the demo provider cannot make HTTP calls: {0}")]
    Http(#[from] reqwest::Error),
    /// The operating system gave no randomness.
    #[error("the operating system gave the demo provider no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}
