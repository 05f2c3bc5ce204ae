//! Which paths are passed on: those below the declared prefix that mean to everyone what they say.

/// Whether a path means to everyone what it says: no dot segments, empty segments, encoded slashes or backslashes, and
/// nothing that a server behind might decode into one.
pub(super) fn is_plain(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let last = segments.split('/').count() - 1;
    segments.split('/').enumerate().all(|(place, segment)| {
        let decoded = percent_decoded(segment);
        let climbs = decoded == b"." || decoded == b"..";
        let strange = decoded.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'%' | b';') || byte.is_ascii_control());
        let empty = decoded.is_empty() && place != last;
        !(climbs || strange || empty)
    })
}

/// Whether a path begins with a prefix at the bounds of a segment.
pub(super) fn is_below(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix.trim_end_matches('/')) {
        Some(rest) if prefix.ends_with('/') => rest.starts_with('/'),
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// A part of a path with its percent-encoding undone once. A form's field undoes it in the same way, but for `+`.
fn percent_decoded(segment: &str) -> Vec<u8> {
    let kept = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(kept.as_bytes());
    pairs.next().map(|(name, _)| name.into_owned().into_bytes()).unwrap_or_default()
}
