//! Thoughts as a user would start it.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use thoughts::backup::Kept;

use crate::fill::Filled;
use crate::load::{self, Ask};
use crate::process::{Process, free_port};

/// The binary under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_thoughts");

/// Makes it as whoever installs it does. `cargo bench` has made one with all that the tests need besides, such as a clock
/// that is moved by hand, which costs a page some hundredths.
pub fn build() {
    let cargo = Command::new(env!("CARGO")).args(["build", "--release", "--locked"]).status().unwrap();
    assert!(cargo.success(), "`cargo build --release` failed");
}

/// Starts it on the store in `folder`, with these settings besides.
pub fn start(folder: &Path, settings: &[(&str, &str)]) -> Process {
    let port = free_port();
    let mut command = Command::new(PROGRAM);
    command
        .arg("serve")
        .current_dir(folder)
        .env_clear()
        .env("THOUGHTS_BASE_URL", format!("http://localhost:{port}"))
        .env("THOUGHTS_LISTEN", format!("127.0.0.1:{port}"))
        .env("THOUGHTS_STORE", format!("sled:{}", folder.display()))
        // Nobody answers there, and nobody needs to.
        .env("THOUGHTS_OIDC_ISSUER", "http://127.0.0.1:9")
        .env("THOUGHTS_OIDC_CLIENT_ID", "thoughts")
        .env("THOUGHTS_LOG", "error,thoughts::cli=info")
        .envs(settings.iter().copied());
    Process::start(command, port, "serving")
}

/// Starts it on a store that is filled, and waits until the day's snapshot is made: it is made once a day, and would be
/// measured with whatever comes first. All of it is indexed for searching then, too. The store's file is in the system's memory then, as it is where it has been served
/// for a while: what is measured is the program and not the disk.
pub async fn on(filled: &Filled) -> Process {
    let mut file = File::open(filled.folder.join("sled/db")).unwrap();
    std::io::copy(&mut file, &mut std::io::sink()).unwrap();
    let server = start(&filled.folder, &[]);
    while Kept::beside(&filled.folder).is_due(Timestamp::now()).unwrap() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    while load::once(server.port, &Ask::get("/readyz", &[])).await.body().as_ref() != b"ok\n" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server
}
