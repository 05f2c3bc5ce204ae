//! The security headers. HTML carries its own Content-Security-Policy, with a nonce new in every response;
//! everything else gets one that allows nothing.

use http::HeaderValue;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

/// On everything. Source: OWASP ASVS 5.0, chapter 3.4.
const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-embedder-policy"), HeaderValue::from_static("require-corp")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), \
             microphone=(), midi=(), payment=(), usb=(), browsing-topics=()",
        ),
    ),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Adds to a response what every response has.
pub fn add(headers: &mut HeaderMap, https: bool, not_modified: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    // Where a person came from is nobody's business; our own pages are told, to bring them back after a form.
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    // A 304 has none: the stored page keeps the policy whose nonce it carries.
    if !not_modified {
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(nothing);
    }
    if https {
        let two_years = HeaderValue::from_static("max-age=63072000");
        headers.insert(STRICT_TRANSPORT_SECURITY, two_years);
    }
}

/// The policy of a page: scripts by this response's nonce alone, Trusted Types for htmx alone, and forms to
/// ourselves and, for the redirects that follow signing out, to the providers at `form_action`.
///
/// Pico draws its arrows and ticks from `data:` images in its style sheet, which can't run or call anything.
pub fn page_policy(nonce: &str, form_action: &str) -> String {
    // Not by `format!`, which takes three times as long.
    [
        "default-src 'none'; script-src 'nonce-",
        nonce,
        "'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self' ",
        form_action,
        "; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx",
    ]
    .concat()
}
