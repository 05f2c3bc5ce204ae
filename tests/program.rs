//! The program as whoever runs it meets it: exit codes, lines, and how it stops.

use crate::support::program::{Server, run, thoughts};
use crate::support::site::free_address;
use crate::support::{Person, site};

fn line(output: &std::process::Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap().trim().to_owned()
}

#[test]
fn a_mistake_in_the_configuration_is_one_line_and_exit_code_2() {
    for (settings, named) in [
        ([("THOUGHTS_BASE_ULR", "http://localhost:3000")], "did you mean `THOUGHTS_BASE_URL`"),
        ([("THOUGHTS_BASE_URL", "http://example.org")], "https://example.org"),
        ([("THOUGHTS_SESSION_IDLE", "soon")], "THOUGHTS_SESSION_IDLE"),
        ([("THOUGHTS_LISTEN", "127.0.0.1:0")], "THOUGHTS_OIDC_ISSUER"),
    ] {
        let output = run(&["serve"], &settings);
        assert_eq!(output.status.code(), Some(2), "{settings:?}");
        let line = line(&output);
        assert!(line.contains(named) && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn wrong_use_is_exit_code_2() {
    assert_eq!(run(&["dance"], &[]).status.code(), Some(2));
}

#[test]
fn the_demo_refuses_to_be_anywhere_but_on_this_machine() {
    for settings in [("THOUGHTS_BASE_URL", "https://example.org"), ("THOUGHTS_LISTEN", "0.0.0.0:3000")] {
        let output = run(&["demo"], &[settings]);
        assert_eq!(output.status.code(), Some(2), "{settings:?}");
        assert!(line(&output).contains(settings.1), "{}", line(&output));
    }
}

#[tokio::test]
async fn the_demo_is_a_whole_site_with_thoughts_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, origin) = free_address();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    let settings = [("THOUGHTS_BASE_URL", origin.as_str()), ("THOUGHTS_LISTEN", &listen), ("THOUGHTS_LOG", "info")];
    let server = Server::spawn(&["demo"], folder.path(), &settings, origin.clone());
    let ann = Person::new(&origin);
    assert!(ann.get("/").await.has("#thoughts article"));
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    assert_eq!(ann.get(&ann.share("From the demo", "members").await).await.text("article .words"), "From the demo");
    assert!(folder.path().join("demo-data").exists());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_demo_sends_nobody_to_an_address_on_which_it_does_not_listen() {
    let (listener, origin) = free_address();
    let listen = listener.local_addr().unwrap().to_string();
    let output = run(&["demo"], &[("THOUGHTS_BASE_URL", origin.as_str()), ("THOUGHTS_LISTEN", &listen)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(line(&output).contains(&listen), "{}", line(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
}

#[tokio::test]
async fn a_folder_in_use_is_a_clear_line_and_exit_code_1() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), site.provider.issuer());
    let mut settings = server.settings();
    settings.retain(|(name, _)| *name != "THOUGHTS_LISTEN");
    settings.push(("THOUGHTS_LISTEN", "127.0.0.1:0"));
    let second = run(&["serve"], &settings);
    assert_eq!(second.status.code(), Some(1));
    let line = line(&second);
    assert!(line.contains(folder.path().to_str().unwrap()) && line.lines().count() == 1, "{line}");
}

#[tokio::test]
async fn sigterm_ends_it_with_exit_code_0_and_health_says_whether_it_runs() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), site.provider.issuer());
    let settings: Vec<(String, String)> =
        server.settings().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(run(&["health"], &settings).status.code(), Some(0));
    assert_eq!(server.stop(), Some(0));
    assert_eq!(run(&["health"], &settings).status.code(), Some(1));
}

#[tokio::test]
async fn it_serves_on_a_unix_socket() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}", folder.path().join("socket").display());
    let store = format!("sled:{}", folder.path().join("data").display());
    let settings = [
        ("THOUGHTS_LISTEN", socket.as_str()),
        ("THOUGHTS_STORE", &store),
        ("THOUGHTS_OIDC_ISSUER", site.provider.issuer()),
        ("THOUGHTS_OIDC_CLIENT_ID", "x"),
    ];
    let server = Server::spawn(&["serve"], folder.path(), &settings, String::new());
    assert_eq!(thoughts(&["health"], &settings).status().unwrap().code(), Some(0));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_file_that_is_no_socket_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dear");
    std::fs::write(&file, "to me").unwrap();
    let listen = format!("unix:{}", file.display());
    let store = format!("sled:{}", folder.path().join("data").display());
    let settings = [
        ("THOUGHTS_LISTEN", listen.as_str()),
        ("THOUGHTS_STORE", &store),
        ("THOUGHTS_OIDC_ISSUER", "http://localhost:9"),
        ("THOUGHTS_OIDC_CLIENT_ID", "x"),
    ];
    assert_eq!(run(&["serve"], &settings).status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "to me");
}
