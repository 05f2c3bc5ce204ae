//! A server that speaks TLS with a certificate that it signed itself.

use std::io::{BufRead as _, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The server. It ends with the test.
pub struct SelfSigned {
    pub origin: String,
    child: Child,
    _folder: TempDir,
}

impl SelfSigned {
    /// OpenSSL's, on a free port; `None` where there is no OpenSSL on this machine, which is said.
    #[expect(clippy::disallowed_methods, reason = "a machine without OpenSSL may do without, and CI may not")]
    pub fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"])
            .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder.path())
            .output();
        match made {
            Ok(made) => assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(std::env::var_os("CI").is_none(), "there is no openssl; apt-get install openssl");
                eprintln!("no openssl on this machine: not tried");
                return None;
            }
            Err(error) => panic!("{error}"),
        }
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-key", "key.pem", "-cert", "certificate.pem"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = said.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned)).unwrap();
        // Its output stays open for it to write to as long as it runs.
        std::thread::spawn(move || said.count());
        Some(Self { origin: format!("https://{address}"), child, _folder: folder })
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
