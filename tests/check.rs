//! `thoughts check`: what people get wrong with a provider, found before anyone signs in.

use std::path::Path;
use std::process::Output;

use tempfile::TempDir;
use thoughts::demo::Fault;

use crate::support::program::{Server, run};
use crate::support::self_signed::SelfSigned;
use crate::support::site::{CLIENT_ID, CLIENT_SECRET, KEY, found_store, free_address, public_jwk};
use crate::support::{Proxy, Site, postgres, site};

/// What it says of a site with these settings besides the right ones.
fn check(site: &Site, more: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sled:{}", folder.path().display());
    let mut settings = vec![
        ("THOUGHTS_LISTEN", "127.0.0.1:0"),
        ("THOUGHTS_STORE", store.as_str()),
        ("THOUGHTS_OIDC_ISSUER", site.provider.issuer()),
        ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
        ("THOUGHTS_OIDC_CLIENT_SECRET", CLIENT_SECRET),
    ];
    settings.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    settings.extend(more);
    run(&["check"], &settings)
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// One thing is to be mended, and these words say what and how.
fn to_mend(output: &Output, words: &[&str]) {
    let printed = printed(output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    let lines: Vec<_> = printed.lines().filter(|line| line.starts_with("FIX")).collect();
    assert_eq!(lines.len(), 1, "{printed}");
    for word in words {
        assert!(lines[0].contains(word), "{word} in {}", lines[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_right_is_exit_code_0_and_the_redirect_uri_to_register() {
    let site = site().await;
    let output = check(&site, &[("THOUGHTS_BASE_URL", "https://thoughts.example")]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("redirect URI https://thoughts.example/callback"));
    assert!(printed(&output).contains("accepts the client id and the client secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_was_started_yet_nothing_is_left_behind() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sled:{}", folder.path().join("not/there/yet").display());
    let output = check(&site, &[("THOUGHTS_STORE", &store)]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("nothing is there yet, and it can be made"), "{}", printed(&output));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_made_is_said_to_be_one() {
    let site = site().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let store = format!("sled:{}", file.path().join("data").display());
    to_mend(&check(&site, &[("THOUGHTS_STORE", &store)]), &["can't be read and written", "Give a folder"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_tables_is_left_without_and_one_that_would_take_none_is_told() {
    let (site, Some(database)) = (site().await, postgres::database().await) else { return };
    let secret = ("THOUGHTS_SECRET", SECRET);
    let output = check(&site, &[("THOUGHTS_STORE", &database), secret]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("nothing is there yet, and it can be made"), "{}", printed(&output));
    assert_eq!(postgres::execute(&database, "SELECT FROM pg_tables WHERE schemaname = 'public'").await, 0);
    postgres::execute(&database, "CREATE ROLE reader LOGIN").await;
    let by_another = database.replace("thoughts@", "reader@");
    to_mend(&check(&site, &[("THOUGHTS_STORE", &by_another), secret]), &["permission denied for schema public"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_differs_by_a_slash_is_named_as_it_should_be() {
    let site = site().await;
    let with_slash = format!("{}/", site.provider.issuer());
    let output = check(&site, &[("THOUGHTS_OIDC_ISSUER", &with_slash)]);
    to_mend(&output, &["slash", &format!("Set its issuer to `{}`", site.provider.issuer())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_somewhere_else_is_told_from_one_that_does_not_answer() {
    let site = site().await;
    let below = format!("{}/realms/home", site.provider.issuer());
    to_mend(&check(&site, &[("THOUGHTS_OIDC_ISSUER", &below)]), &["answered 404", "comes before /.well-known"]);
    let without_tls = site.provider.issuer().replace("http://", "https://");
    to_mend(&check(&site, &[("THOUGHTS_OIDC_ISSUER", &without_tls)]), &["over TLS", "the issuer begins with http"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_is_found_without_a_sign_in() {
    let site = site().await;
    to_mend(
        &check(&site, &[("THOUGHTS_OIDC_CLIENT_SECRET", "wrong")]),
        &["invalid_client", "THOUGHTS_OIDC_CLIENT_SECRET"],
    );
}

/// What it says of a site with this private key in place of the secret.
fn check_with_key(site: &Site, pem: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sled:{}", folder.path().display());
    let settings = [
        ("THOUGHTS_LISTEN", "127.0.0.1:0"),
        ("THOUGHTS_STORE", store.as_str()),
        ("THOUGHTS_OIDC_ISSUER", site.provider.issuer()),
        ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
        ("THOUGHTS_OIDC_CLIENT_KEY", pem),
    ];
    run(&["check"], &settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_half_of_a_private_key_is_printed_and_tried() {
    let site = Site::with_client_key(&KEY, &[]).await;
    let output = check_with_key(&site, &KEY);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains(&public_jwk(&KEY)["n"].to_string()), "{}", printed(&output));
    assert!(printed(&output).contains("accepts the client id and the client key"), "{}", printed(&output));
    assert!(!printed(&output).contains(KEY.lines().nth(1).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_that_is_not_registered_is_found_without_a_sign_in() {
    let site = site().await;
    to_mend(&check_with_key(&site, &KEY), &["invalid_client", "public key above"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_takes_no_private_key_is_said_with_what_it_takes() {
    let site = Site::with_client_key(&KEY, &[Fault::MetadataNoPrivateKeyJwt]).await;
    to_mend(&check_with_key(&site, &KEY), &["private_key_jwt", "client_secret_basic, client_secret_post, none"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_pushed_to_see_that_the_redirect_uri_is_registered() {
    let site = Site::beside(&[Fault::PushOffered]).await;
    let right = check(&site, &[("THOUGHTS_BASE_URL", &site.base)]);
    assert!(printed(&right).contains("takes our authorization request beforehand"), "{}", printed(&right));
    let wrong = check(&site, &[("THOUGHTS_BASE_URL", "https://elsewhere.example")]);
    to_mend(&wrong, &["invalid_request", "Register the redirect URI"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_is_said_with_what_to_open() {
    let site = site().await;
    to_mend(
        &check(&site, &[("THOUGHTS_OIDC_ISSUER", "http://127.0.0.1:9")]),
        &["127.0.0.1:9/.well-known/openid-configuration"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_said_with_what_to_do() {
    let site = site().await;
    let Some(provider) = SelfSigned::start() else { return };
    let output = check(&site, &[("THOUGHTS_OIDC_ISSUER", &provider.origin)]);
    to_mend(
        &output,
        &[&provider.origin, "over TLS", "signed by an authority that is among the system's: add your own"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_too_far_apart_are_measured() {
    let site = site().await;
    site.provider.faults().on(Fault::ClockAhead);
    to_mend(&check(&site, &[]), &["s ahead of ours", "NTP"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn algorithms_and_pkce_that_do_not_do_are_told_with_what_to_choose() {
    let site = site().await;
    site.provider.faults().on(Fault::MetadataHs256Alone);
    to_mend(&check(&site, &[]), &["none of RS256, PS256, ES256, EdDSA", "Choose one of them"]);
    site.provider.faults().clear();
    site.provider.faults().on(Fault::MetadataPkcePlainAlone);
    to_mend(&check(&site, &[]), &["offers PKCE, and not by S256", "Turn it on"]);
    site.provider.faults().clear();
    site.provider.faults().on(Fault::MetadataNoPkce);
    let output = check(&site, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("does not say whether it knows PKCE"), "{}", printed(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_keys_is_told_that_it_can_sign_nothing() {
    let site = site().await;
    site.provider.faults().on(Fault::JwksEmpty);
    to_mend(&check(&site, &[]), &[site.provider.issuer(), "no key that could sign an ID token", "Make one there"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_socket_is_in_the_way_of_one_and_what_was_left_over_is_not() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (file, socket) = (folder.path().join("dear"), folder.path().join("socket"));
    std::fs::write(&file, "to me").unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let listening = |path: &Path| check(&site, &[("THOUGHTS_LISTEN", &format!("unix:{}", path.display()))]);
    to_mend(&listening(&file), &["dear: address in use", "take it away", "THOUGHTS_LISTEN"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "to me");
    let output = listening(&socket);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("nobody answers on, and is replaced"), "{}", printed(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_good_is_said_to_be_and_not_shown() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let given = printed(&check(&site, &[("THOUGHTS_SECRET", SECRET)]));
    assert!(given.contains("ok    secret: THOUGHTS_SECRET is long enough") && !given.contains(SECRET), "{given}");
    let server = Server::start(folder.path(), site.provider.issuer());
    let kept = printed(&run(&["check"], &server.settings()));
    assert!(kept.contains("ok    secret: the one that is kept in"), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_cut_is_to_be_put_back() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("secret"), "short").unwrap();
    let store = format!("sled:{}", folder.path().display());
    to_mend(&check(&site, &[("THOUGHTS_STORE", &store)]), &["fewer than 32 bytes", "put back the one it had"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_a_way_to_sign_out_is_a_note() {
    let site = site().await;
    site.provider.faults().on(Fault::MetadataNoEndSession);
    let output = check(&site, &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(printed(&output).contains("cannot be told to end its session"));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_server_it_asks_that_server() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), site.provider.issuer());
    let settings: Vec<_> = server.settings();
    let output = run(&["check"], &settings);
    assert!(printed(&output).contains("a server is running"), "{}", printed(&output));
    assert!(printed(&output).contains("leads here, with its host, scheme and path"), "{}", printed(&output));
    assert_eq!(output.status.code(), Some(0));
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A server behind a proxy, both on free ports, in the store of this run.
struct Proxied {
    server: Server,
    proxy: Proxy,
    _site: Site,
    _folder: TempDir,
}

impl Proxied {
    /// The base URL has this path and is the proxy's, which takes `off` from paths and says these headers.
    async fn start(path: &str, off: &'static str, headers: &'static [(&'static str, &'static str)]) -> Self {
        let site = site().await;
        let folder = tempfile::tempdir().unwrap();
        let (listener, origin) = free_address();
        let listen = listener.local_addr().unwrap().to_string();
        drop(listener);
        let proxy = Proxy::start(origin, off, headers);
        let base = format!("{}{path}", proxy.origin);
        let store = found_store(None, folder.path()).await;
        let settings = [
            ("THOUGHTS_BASE_URL", base.as_str()),
            ("THOUGHTS_LISTEN", &listen),
            ("THOUGHTS_STORE", &store),
            ("THOUGHTS_SECRET", SECRET),
            ("THOUGHTS_OIDC_ISSUER", site.provider.issuer()),
            ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
            ("THOUGHTS_OIDC_CLIENT_SECRET", CLIENT_SECRET),
        ];
        let server = Server::spawn(&["serve"], folder.path(), &settings, base.clone());
        Self { server, proxy, _site: site, _folder: folder }
    }

    /// What is said with the server's settings, and these in place of its own.
    fn check(&self, more: &[(&str, &str)]) -> Output {
        let mut settings = self.server.settings();
        settings.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        settings.extend(more);
        run(&["check"], &settings)
    }
}

/// What it says beside such a server.
async fn behind_a_proxy(path: &str, off: &'static str, headers: &'static [(&'static str, &'static str)]) -> Output {
    Proxied::start(path, off, headers).await.check(&[])
}

#[tokio::test(flavor = "multi_thread")]
async fn on_another_machine_it_asks_the_server_as_well() {
    let proxied = Proxied::start("", "", &[("x-forwarded-proto", "https")]).await;
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sled:{}", folder.path().display());
    let there = [("THOUGHTS_LISTEN", "127.0.0.1:0"), ("THOUGHTS_STORE", store.as_str())];
    to_mend(&proxied.check(&there), &["people come by https", "Set THOUGHTS_BASE_URL=https://127.0.0.1:"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_another_secret_is_told_nothing() {
    let proxied = Proxied::start("", "", &[]).await;
    let another = [("THOUGHTS_SECRET", "another one of thirty-two bytes or more")];
    to_mend(&proxied.check(&another), &["something else than a server with this secret", "the same THOUGHTS_SECRET"]);
    let answer = reqwest::get(format!("{}/healthz?check=anything", proxied.proxy.origin)).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("thoughts-arrival")), (200, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_it_says_that_nothing_could_be_tried() {
    let site = site().await;
    let output = check(&site, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("there is no secret here yet"), "{}", printed(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_passes_everything_on_is_fine() {
    let output = behind_a_proxy("/t", "", &[("x-forwarded-proto", "http")]).await;
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("leads here"), "{}", printed(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_takes_the_base_path_off_is_told_what_to_do() {
    to_mend(&behind_a_proxy("/t", "/t", &[]).await, &["its path arrives as ``", "pass paths on as they are"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_does_not_pass_the_host_on_is_told_what_to_do() {
    to_mend(&behind_a_proxy("", "", &[("host", "backend")]).await, &["the host `backend`", "pass `Host` on"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_base_url_behind_https_is_told_with_the_line_to_change() {
    let output = behind_a_proxy("", "", &[("x-forwarded-proto", "https")]).await;
    to_mend(&output, &["people come by https", "Set THOUGHTS_BASE_URL=https://127.0.0.1:"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_believed_is_a_note_with_the_line_to_change() {
    let output = behind_a_proxy("", "", &[("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("Set THOUGHTS_TRUSTED_PROXIES=127.0.0.1"), "{}", printed(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_that_somebody_else_answers_or_nobody_is_told_as_such() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), site.provider.issuer());
    let with_base_url = |base_url: &str| {
        let mut settings = server.settings();
        settings.retain(|(name, _)| *name != "THOUGHTS_BASE_URL");
        settings.push(("THOUGHTS_BASE_URL", base_url));
        run(&["check"], &settings)
    };
    to_mend(
        &with_base_url(&site.base),
        &["by something else than a server with this secret", "Let the proxy pass it on"],
    );
    let nobody = with_base_url("http://127.0.0.1:9");
    assert!(printed(&nobody).contains("what arrives by it could not be tried"), "{}", printed(&nobody));
}
