//! What is deployed names only settings that there are.

use std::fs;

use thoughts::config::variables;

#[test]
fn the_files_for_compose_and_kubernetes_name_no_setting_that_there_is_not() {
    let known: Vec<String> = variables().into_iter().map(|variable| variable.name).collect();
    for file in ["compose.yaml", "deploy/Caddyfile", "deploy/kubernetes.yaml", "Dockerfile"] {
        let text = fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let names =
            text.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).filter(|name| name.starts_with("THOUGHTS_"));
        let mut count = 0;
        for name in names {
            let plain = name.strip_suffix("_FILE").unwrap_or(name);
            // One that Kubernetes makes up, which the file speaks of.
            assert!(known.iter().any(|known| known == plain) || name == "THOUGHTS_PORT", "{file} names {name}");
            count += 1;
        }
        assert!(count > 0, "{file} names none");
    }
}
