//! The disk is full, or is there to be read alone; and the program is told to stop in the middle of all that it does.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::program::{Server, store_in, thoughts};
use crate::support::site::{SECRET, client};
use crate::support::writers::{Answered, Writers, listed};
use crate::support::{Person, Site, site};

/// How many write at once.
const WRITERS: usize = 32;

/// Runs the program from a shell after this, for which `$folder` is the store's.
fn after(shell: &[&str], before: &str, folder: &Path) -> Command {
    let program = thoughts(&[], &[]).get_program().to_owned();
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", &format!("{before} && exec \"$0\" serve")]).arg(program);
    command.env_clear().env("folder", folder);
    command
}

/// The same, where what it mounts is seen by it alone; `None` where this user may mount nothing, which is said.
fn after_mounting(mount: &str, folder: &Path) -> Option<Command> {
    let may =
        Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "CI mounts file systems of its own: run it as root");
        eprintln!("SKIPPED: this test mounts a file system of its own, which takes root");
        return None;
    }
    Some(after(&["unshare", "-m", "/bin/sh"], mount, folder))
}

/// Serves the store in this folder by this command.
fn serve(command: Command, folder: &Path, site: &Site) -> Server {
    Server::start_by(command, &store_in(folder), folder, site.provider.issuer(), "error,thoughts::cli=info")
}

/// Ann, who signs in at this server.
async fn ann(site: &Site, server: &Server) -> Person {
    site.provider.set_clients(vec![client(&server.base)]);
    let ann = Person::new(&server.base);
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    ann
}

/// Writes until nobody can any more, and gives what was answered.
async fn fill(ann: &Person) -> Answered {
    let answered = Writers::start(ann, &"many words ".repeat(300), WRITERS).until_they_give_up().await;
    assert!(answered.len() > WRITERS, "{} were answered", answered.len());
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_to_be_one_and_is_read_on_until_there_is_room() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let ballast = "head -c 4194304 /dev/zero > \"$folder/ballast\"";
    let mount = format!("mount -t tmpfs -o size=16m none \"$folder\" && {ballast}");
    let Some(command) = after_mounting(&mount, folder.path()) else { return };
    let server = serve(command, folder.path(), &site);
    let ann = ann(&site, &server).await;
    let answered = fill(&ann).await;
    let fields = [("message", "One more"), ("visibility", "public")];
    let refused = ann.post("/thoughts", &fields).await;
    assert_eq!((refused.status.as_u16(), refused.text("h1").as_str()), (507, "No room left"), "{}", refused.body);
    let refused = ann.htmx().post("/thoughts", &fields).await;
    assert_eq!((refused.status.as_u16(), refused.header("hx-retarget")), (507, "#panel"), "beside the form");
    let json = serde_json::json!({ "message": "One more", "visibility": "public" });
    let refused = ann.json(reqwest::Method::POST, "/api/thoughts", &json).await;
    assert_eq!((refused.status.as_u16(), refused.json()["status"].as_u64()), (507, Some(507)), "{}", refused.body);
    for (path, words) in &answered {
        assert_eq!(ann.get(path).await.text("article .words"), *words);
    }
    assert_eq!(ann.get("/").await.texts("#thoughts article").len(), 20);
    assert_eq!(ann.get("/readyz").await.status, 503);
    let said = server.until_it_says("no room is left").await;
    assert!(said.contains("Make room"), "{said}");
    // Seen from where the program stands, for whom alone it is mounted.
    std::fs::remove_file(format!("/proc/{}/root{}/ballast", server.pid(), folder.path().display())).unwrap();
    ann.share("There is room", "public").await;
    assert_eq!(ann.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_file_could_not_grow_is_there_when_it_can() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    // Blocks of 512 bytes. Without the signal that would end the program, it is told that the file may not grow.
    let server = serve(after(&["/bin/sh"], "trap '' XFSZ && ulimit -f 8192", folder.path()), folder.path(), &site);
    let ann_then = ann(&site, &server).await;
    let answered = fill(&ann_then).await;
    let refused = ann_then.post("/thoughts", &[("message", "One more"), ("visibility", "public")]).await;
    assert!([503, 507].contains(&refused.status.as_u16()), "{}", refused.body);
    assert_eq!(server.stop(), Some(1), "it was not well");
    let server = Server::start(folder.path(), site.provider.issuer());
    let found = listed(&server.base).await;
    let unique: BTreeSet<_> = found.iter().collect();
    assert_eq!(unique.len(), found.len(), "a thought is listed twice");
    assert!(answered.iter().all(|(_, words)| unique.contains(words)), "what was answered is there");
    ann(&site, &server).await.share("There is room", "public").await;
}

#[tokio::test]
async fn a_folder_that_can_only_be_read_is_a_clear_line_and_exit_code_1() {
    let site = site().await;
    let (empty, used) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(Server::start(used.path(), site.provider.issuer()).stop(), Some(0));
    let mount = "mount --bind \"$folder\" \"$folder\" && mount -o remount,bind,ro \"$folder\"";
    for folder in [empty.path(), used.path()] {
        let Some(mut command) = after_mounting(mount, folder) else { return };
        let settings = [
            ("THOUGHTS_STORE", store_in(folder)),
            ("THOUGHTS_LISTEN", "127.0.0.1:0".to_owned()),
            ("THOUGHTS_SECRET", SECRET.to_owned()),
            ("THOUGHTS_OIDC_ISSUER", site.provider.issuer().to_owned()),
            ("THOUGHTS_OIDC_CLIENT_ID", "x".to_owned()),
        ];
        let output = command.envs(settings).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.lines().count()), (Some(1), 1), "{line}");
        assert!(line.contains(folder.to_str().unwrap()) && line.contains("Give a folder"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_under_load_it_answers_what_it_has_begun_and_ends_its_streams() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let server = Server::start(folder.path(), site.provider.issuer());
    let ann = ann(&site, &server).await;
    let mut stream = ann.listen().await;
    let writers = Writers::start(&ann, "", WRITERS);
    writers.until(2 * WRITERS).await;
    let code = tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    assert_eq!(code, Some(0));
    while stream.next().await.is_some() {}
    let answered = writers.until_they_give_up().await;
    let server = Server::start(folder.path(), site.provider.issuer());
    let found: BTreeSet<_> = listed(&server.base).await.into_iter().collect();
    let words: BTreeSet<_> = answered.into_iter().map(|(_, words)| words).collect();
    assert_eq!(found, words, "what was done, and what was answered");
}
