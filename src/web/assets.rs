//! The embedded files: under names that hold their hash, compressed when the program was built.

use std::io::Read as _;

use flate2::read::GzDecoder;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use poem::web::Path;
use poem::{Body, Request, Response, handler};

use super::refusal::Refusal;
use super::request::takes;

/// An embedded file.
struct Asset {
    /// What our views call it.
    name: &'static str,
    /// What browsers call it.
    file: &'static str,
    content_type: &'static str,
    brotli: &'static [u8],
    gzip: &'static [u8],
}

impl Asset {
    /// As it is. No browser asks for it so.
    fn plain(&self) -> Result<Vec<u8>, Refusal> {
        let mut plain = Vec::new();
        let unpacked = GzDecoder::new(self.gzip).read_to_end(&mut plain);
        unpacked.map_err(|error| Refusal::Internal(format!("{} can't be unpacked: {error}", self.file)))?;
        Ok(plain)
    }
}

/// Made by `build.rs` out of `static/`.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What browsers call the file that our views call `name`; the name itself where there is no such file.
pub fn file(name: &'static str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or(name, |asset| asset.file)
}

/// `GET /static/{file}`
#[handler]
pub fn get(request: &Request, Path(file): Path<String>) -> Result<Response, Refusal> {
    let asset = ASSETS.iter().find(|asset| asset.file == file).ok_or(Refusal::NotFound)?;
    let headers = request.headers();
    let (body, coding) = if takes(headers, "br") {
        (Body::from(asset.brotli), Some("br"))
    } else if takes(headers, "gzip") {
        (Body::from(asset.gzip), Some("gzip"))
    } else {
        (Body::from(asset.plain()?), None)
    };
    let mut response = Response::builder().body(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Ok(response)
}
