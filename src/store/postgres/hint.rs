//! What to do about a server that can't be reached as its address says, for the one line that says why a start is refused.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// What to do about this, where that is known.
pub(super) fn hint(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        let inside = io.and_then(io::Error::get_ref).and_then(|inside| inside.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(why)) = inside.or(error.downcast_ref::<rustls::Error>()) {
            return certificate(why);
        }
        if let Some(hint) = of_driver(&error.to_string()) {
            return Some(hint);
        }
        next = error.source();
    }
    None
}

fn certificate(why: &CertificateError) -> Option<&'static str> {
    match why {
        CertificateError::UnknownIssuer => Some(
            "Its certificate is of an authority that nobody here trusts: name that one's certificate, \
             sslrootcert=<PEM file>",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Some("Its certificate is for another name: write the host as the certificate names it")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Some("Its certificate has expired, or the clock here is wrong")
        }
        // Of what rustls knows more of, its own words have to do.
        _ => None,
    }
}

/// What the driver says in words alone.
fn of_driver(words: &str) -> Option<&'static str> {
    match words {
        "server does not support TLS" => {
            Some("It speaks no TLS: set `ssl = on` there, or, where nobody else is on the way, sslmode=disable here")
        }
        "database does not allow writes" => {
            Some("It is a standby, and takes no writes: name the primary, or all hosts of which one is")
        }
        _ => None,
    }
}
