//! Which paths are passed on: those below the declared prefix that mean to everyone what they say.

use percent_encoding::percent_decode_str;

/// Whether a path means to everyone what it says: no dot segments, empty segments, encoded slashes or backslashes, and
/// nothing that a server behind might decode into one.
pub(super) fn is_plain(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let last = segments.split('/').count() - 1;
    segments.split('/').enumerate().all(|(place, segment)| {
        let decoded = percent_decode_str(segment).collect::<Vec<u8>>();
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
