//! The secret of an installation that was given none: made on the first start, kept beside the store.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use super::StartError;
use crate::clock::random;

/// The bytes of the secret in `folder`, readable by its owner alone; made if there is none.
pub fn of_folder(folder: &Path) -> Result<Vec<u8>, StartError> {
    match kept_in(folder)? {
        Some(secret) => Ok(secret),
        None => make(&path(folder)).map_err(failed("made", folder)),
    }
}

/// The same, and `None` if there is none.
pub fn kept_in(folder: &Path) -> Result<Option<Vec<u8>>, StartError> {
    match fs::read(path(folder)) {
        Ok(secret) if secret.trim_ascii().len() >= 32 => Ok(Some(secret.trim_ascii().to_vec())),
        Ok(_) => Err(failed("used", folder)(io::Error::other("it has fewer than 32 bytes; put back the one it had"))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(failed("read", folder)(error)),
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("secret")
}

fn failed(verb: &'static str, folder: &Path) -> impl FnOnce(io::Error) -> StartError {
    let path = path(folder).display().to_string();
    move |error| StartError::Secret { path, verb, error }
}

fn make(path: &Path) -> io::Result<Vec<u8>> {
    let secret = BASE64_STANDARD_NO_PAD.encode(random::<48>()).into_bytes();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_secret_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let secret = of_folder(folder.path()).unwrap();
        assert_eq!(of_folder(folder.path()).unwrap(), secret);
        let mode = fs::metadata(folder.path().join("secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_secret_that_was_cut_is_refused_rather_than_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "short").unwrap();
        assert!(of_folder(folder.path()).is_err());
        assert_eq!(fs::read(folder.path().join("secret")).unwrap(), b"short");
    }
}
