//! What must hold between settings, and secrets.

use super::super::Config;
use super::{PROVIDER, folder, nothing, refusal};

#[test]
fn metrics_on_the_address_of_the_pages_are_refused() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_METRICS_LISTEN", "localhost:3000")),
        "`THOUGHTS_LISTEN` and `THOUGHTS_METRICS_LISTEN` are both `127.0.0.1:3000`: give each an address of its own."
    );
}

#[test]
fn the_first_of_several_secrets_seals() {
    let both = format!("{}, {}", "new".repeat(11), "old".repeat(11));
    let secrets = Config::load(&nothing().with("THOUGHTS_SECRET", &both)).unwrap().secret.unwrap();
    assert_eq!(secrets.first().expose(), "new".repeat(11));
    assert_eq!(secrets.iter().count(), 2);
}

#[test]
fn a_short_secret_is_refused_without_being_printed() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_SECRET", "hunter2")),
        "`THOUGHTS_SECRET` holds a secret, not shown here: it has 7 bytes and needs at least 32 (a comma ends a secret and begins the next). Make one with `openssl rand -hex 32`."
    );
}

#[test]
fn the_password_of_a_database_is_not_printed() {
    assert_eq!(
        refusal(&nothing().with("THOUGHTS_STORE", "postgres://ann:hunter2@db/x?hunter2")),
        "`THOUGHTS_STORE` is `postgres://…`: this is not the address of a PostgreSQL database. Write \
         `postgres://<user>:<password>@<host>/<database>`, with what is special in a password percent-encoded (`@` is \
         `%40`), and of the parameters those that docs/postgresql.md names."
    );
}

#[test]
fn a_database_needs_a_secret_that_all_instances_have() {
    let sources = nothing().with("THOUGHTS_STORE", "postgres://ann:hunter2@db/x");
    let refused = refusal(&sources.clone());
    assert!(
        refused.starts_with("`THOUGHTS_STORE` and `THOUGHTS_SECRET` ") && !refused.contains("hunter2"),
        "{refused}"
    );
    assert!(Config::load(&sources.with("THOUGHTS_SECRET", &"s".repeat(32))).is_ok());
}

#[test]
fn debug_shows_no_secret() {
    let (_folder, sources) = folder(&[("thoughts.toml", &format!("{PROVIDER}client_secret = 'hunter2'\n"))]);
    let config = Config::load(&sources.with("THOUGHTS_SECRET", &"hunter2".repeat(5))).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(shown.matches("[secret]").count(), 2, "{shown}");
}

#[test]
fn debug_of_the_sources_shows_names_alone() {
    let shown = format!("{:?}", nothing().with("THOUGHTS_SECRET", "hunter2"));
    assert!(shown.contains("THOUGHTS_SECRET") && !shown.contains("hunter2"), "{shown}");
}
