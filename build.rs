//! Makes the files that browsers get out of `static/`: bundled, named by their hash, compressed ahead, and
//! embedded. To add one, add a line to `FILES`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// What a browser asks for: name, type, and the files under `static/` that it is made of, in their order.
/// htmx comes first in one file with its guard: were they two, htmx could begin before the guard is there.
const FILES: &[(&str, &str, &[&str])] = &[
    ("thoughts.css", "text/css; charset=utf-8", &["vendor/pico-2.1.1/pico.min.css", "thoughts.css"]),
    (
        "thoughts.js",
        "text/javascript; charset=utf-8",
        &[
            "vendor/htmx-4.0.1/htmx.min.js",
            "vendor/htmx-4.0.1/hx-csp.min.js",
            "vendor/htmx-4.0.1/hx-sse.min.js",
            "thoughts.js",
            "live.js",
        ],
    ),
    ("icon.svg", "image/svg+xml", &["icon.svg"]),
];

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script where it is, and where to build, in this way alone"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=static");
    let source = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("static");
    let out = std::env::var("OUT_DIR")?;
    let mut table = String::from("&[\n");
    for (name, content_type, parts) in FILES {
        let mut plain = Vec::new();
        for part in *parts {
            plain.extend(fs::read(source.join(part)).map_err(|error| format!("static/{part}: {error}"))?);
            plain.push(b'\n');
        }
        let digest = Sha256::digest(&plain);
        let hash = u64::from_be_bytes(*digest.first_chunk().ok_or("a SHA-256 has 32 bytes")?);
        let (stem, extension) = name.rsplit_once('.').ok_or("a file has an extension")?;
        let base = Path::new(&out).join(name);
        for (encoding, bytes) in [("br", &brotli(&plain)?), ("gz", &gzip(&plain)?)] {
            fs::write(base.with_extension(format!("{extension}.{encoding}")), bytes)?;
        }
        let base = base.display();
        writeln!(
            table,
            "    Asset {{ name: {name:?}, file: \"{stem}-{hash:016x}.{extension}\", content_type: {content_type:?}, \
             brotli: include_bytes!(r\"{base}.br\"), \
             gzip: include_bytes!(r\"{base}.gz\") }},"
        )?;
    }
    table.push(']');
    fs::write(Path::new(&out).join("assets.rs"), table)?;
    Ok(())
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
