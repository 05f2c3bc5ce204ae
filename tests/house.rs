//! The house itself: which way the arrows go, and how large a file may grow.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What each area may use of ours, besides itself. `main → cli → app → {web, api, jobs} → actions → {oidc, live, store} →
/// domain`, and what everybody may use stands in `COMMON`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &[]),
    ("cache", &[]),
    ("paths", &["domain"]),
    ("keys", &["clock"]),
    ("jose", &[]),
    ("config", &["jose"]),
    ("serving", &["clock"]),
    ("demo", &["serving"]),
    ("oidc", &["clock", "jose"]),
    ("store", &["cache", "domain"]),
    ("live", &["clock", "domain"]),
    ("telemetry", &["cache", "clock", "domain", "oidc"]),
    ("actions", &["app", "clock", "config", "domain", "keys", "live", "oidc", "store", "telemetry"]),
    ("app", &["cache", "clock", "config", "domain", "keys", "live", "oidc", "paths", "store", "telemetry"]),
    ("api", &["actions", "domain", "web"]),
    ("backup", &["clock", "domain", "store"]),
    ("web", &["actions", "api", "app", "clock", "config", "domain", "oidc", "paths", "serving", "store", "telemetry"]),
    ("metrics", &["app", "oidc", "telemetry"]),
    ("jobs", &["app", "backup", "domain", "store"]),
    ("fleet", &["app", "store"]),
    ("server", &["app", "config", "control", "fleet", "jobs", "metrics", "serving", "store", "web"]),
    ("control", &["app", "backup", "config", "serving"]),
    (
        "cli",
        &[
            "app",
            "backup",
            "clock",
            "config",
            "control",
            "demo",
            "domain",
            "oidc",
            "paths",
            "server",
            "store",
            "telemetry",
            "web",
        ],
    ),
];

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// `src/web/pages/feed.rs` is of `web`.
fn area(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(ROOT).join("src")).unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// What stands behind `crate::`: one area, or several in braces.
fn areas(used: &str) -> Vec<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    match used.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap().split(',').map(name).collect(),
        None => vec![name(used)],
    }
}

#[test]
fn no_area_uses_another_against_the_arrows() {
    for path in files("src") {
        let area = area(&path);
        if area == "lib" || area == "main" {
            continue;
        }
        let (_, allowed) =
            MAY_USE.iter().find(|(name, _)| *name == area).unwrap_or_else(|| panic!("add {area} to MAY_USE"));
        let text = fs::read_to_string(&path).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| line.split("crate::").skip(1));
        for used in code.flat_map(areas) {
            let allowed = used == area || allowed.contains(&used.as_str());
            assert!(allowed, "{} uses {used}, which {area} may not; see MAY_USE", path.display());
        }
    }
}

#[test]
fn pages_and_the_api_ask_actions_and_never_the_store() {
    for path in files("src/web/pages").into_iter().chain(files("src/api")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("crate::store"), "{}", path.display());
    }
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    for path in ["src", "tests", "benches"]
        .iter()
        .filter(|folder| Path::new(ROOT).join(folder).exists())
        .flat_map(|folder| files(folder))
    {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 450, "{} has {lines} lines", path.display());
    }
}

#[test]
fn text_is_printed_unescaped_in_one_file() {
    let found: Vec<_> =
        files("src").into_iter().filter(|path| fs::read_to_string(path).unwrap().contains("PreEscaped")).collect();
    assert_eq!(found.len(), 1, "{found:?}");
}
