//! Where we take connections.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use super::{error::Wrong, parse::Parse};

/// What `sun_path` holds on every system we run on, without its final zero byte.
const LONGEST_PATH: usize = 103;

/// Where the server takes connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port; port 0 is one the system picks.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl Listen {
    /// A path, if a socket can have it.
    ///
    /// # Errors
    /// A line that says how long it may be.
    pub fn unix(path: &Path) -> Result<&Path, String> {
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(format!("the path of a socket has at most {LONGEST_PATH} bytes"));
        }
        Ok(path)
    }

    /// Whether this machine alone can connect.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

/// As it is written in the configuration.
impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

impl Parse for Listen {
    fn parse(text: &str) -> Result<Self, Wrong> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err(Wrong::new("the path of the socket is missing. Use one like `unix:/run/thoughts.sock`."))
            } else if path.len() > LONGEST_PATH {
                Err(Wrong::new(format!(
                    "the path of a socket has at most {LONGEST_PATH} bytes. Use one like `unix:/run/thoughts.sock`."
                )))
            } else {
                Ok(Self::Unix(PathBuf::from(path)))
            };
        }
        let example = "Use an address and a port like `127.0.0.1:3000`, `0.0.0.0:3000` or `[::]:3000`, or `unix:/run/thoughts.sock`.";
        let localhost = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        localhost
            .map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .or_else(|| text.parse().ok())
            .map(Self::Tcp)
            .ok_or_else(|| Wrong::new(format!("that is not an address to listen on. {example}")))
    }
}

#[cfg(test)]
mod tests {

    use super::{Listen, Parse};

    #[test]
    fn addresses_and_sockets_are_taken_as_they_are_written() {
        for text in ["127.0.0.1:0", "0.0.0.0:3000", "[::1]:3000", "unix:/run/thoughts.sock"] {
            assert_eq!(Listen::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn localhost_is_an_address() {
        assert_eq!(Listen::parse("localhost:3000").unwrap().to_string(), "127.0.0.1:3000");
    }

    #[test]
    fn what_has_no_address_and_port_is_refused() {
        assert_eq!(
            Listen::parse("3000").unwrap_err().to_string(),
            "that is not an address to listen on. Use an address and a port like `127.0.0.1:3000`, `0.0.0.0:3000` or `[::]:3000`, or `unix:/run/thoughts.sock`."
        );
        for text in [":3000", "127.0.0.1", "example.org:3000", "localhost:70000", "unix:"] {
            assert!(Listen::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_socket_whose_path_the_system_would_cut_is_refused() {
        assert!(Listen::parse(&format!("unix:/{}", "a".repeat(103))).is_err());
    }
}
