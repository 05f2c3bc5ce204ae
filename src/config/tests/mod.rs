//! What a person gets who configures Thoughts, from all sources together.

mod files;
mod keys;
mod precedence;
mod providers;
mod together;

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::{Config, Sources};

/// A folder with these files, and sources that read from it.
fn folder(files: &[(&str, &str)]) -> (TempDir, Sources) {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let sources = Sources { working_directory: folder.path().to_owned(), ..Sources::default() };
    (folder, sources)
}

fn nothing() -> Sources {
    Sources { working_directory: PathBuf::from("/nonexistent"), ..Sources::default() }
}

fn refusal(sources: &Sources) -> String {
    Config::load(sources).unwrap_err().to_string()
}

fn load_file(text: &str) -> Config {
    let (_folder, sources) = folder(&[("thoughts.toml", text)]);
    Config::load(&sources).unwrap()
}

fn refusal_of_file(text: &str) -> String {
    let (_folder, sources) = folder(&[("thoughts.toml", text)]);
    refusal(&sources)
}

const PROVIDER: &str = "[[provider]]\nissuer = 'https://id.example.org'\nclient_id = 'thoughts'\n";
