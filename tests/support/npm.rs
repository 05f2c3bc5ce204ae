//! What the tests take from npm: where Node is missing they say so, and in CI they fail.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What is installed, by which lockfile, and the program that runs there.
const FILES: &[&str] = &["package.json", "package-lock.json", ".npmrc", "provider.mjs"];

/// The folder with what is installed, or why there is none.
static INSTALLED: LazyLock<Result<PathBuf, String>> = LazyLock::new(install);

/// The folder in which `tests/interoperability` is installed; `None` where there is no Node, which is said.
pub fn installed() -> Option<&'static Path> {
    match &*INSTALLED {
        Ok(folder) => Some(folder),
        Err(why) => {
            assert!(std::env::var("CI").is_err(), "CI needs Node: install nodejs and npm ({why})");
            eprintln!("SKIPPED: this test needs Node (Debian: nodejs and npm): {why}");
            None
        }
    }
}

/// Installs it once for each lockfile, below the target folder; other processes wait meanwhile.
fn install() -> Result<PathBuf, String> {
    let answers =
        |program: &str| Command::new(program).arg("--version").output().map_err(|error| format!("{program}: {error}"));
    answers("node")?;
    answers("npm")?;
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interoperability");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interoperability");
    fs::create_dir_all(&folder).unwrap();
    let turn = File::create(folder.join("lock")).unwrap();
    turn.lock().unwrap();
    let lockfile = fs::read(from.join("package-lock.json")).unwrap();
    let installed = fs::read(folder.join("installed")).is_ok_and(|of| of == lockfile);
    for file in FILES {
        let text = fs::read(from.join(file)).unwrap();
        // One that is the same is left alone: another process may be reading it.
        if !fs::read(folder.join(file)).is_ok_and(|there| there == text) {
            fs::write(folder.join(file), text).unwrap();
        }
    }
    if !installed {
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .output()
            .unwrap();
        if !npm.status.success() {
            return Err(format!("npm ci: {}", String::from_utf8_lossy(&npm.stderr)));
        }
        fs::write(folder.join("installed"), lockfile).unwrap();
    }
    Ok(folder)
}
