//! The signed session cookie, which identifies a browser.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;

use cookie::{Cookie, CookieJar, Key, SameSite};
use http::HeaderMap;
use http::header::COOKIE;
use protocol::SessionToken;

/// The name of the session cookie.
const SESSION: &str = "hubbub_session";
/// The name of the theme cookie.
pub const THEME: &str = "hubbub_theme";
/// The file in the data folder that holds a generated key.
const KEY_FILE: &str = "session.key";
/// Bytes of a generated key.
const KEY_BYTES: usize = 64;

/// Signs and checks session cookies.
#[derive(Clone)]
pub struct Sessions {
    key: Key,
}

/// The session key cannot be read or created.
#[derive(Debug, thiserror::Error)]
#[error("the session key {path} {problem}")]
pub struct KeyError {
    path: String,
    problem: String,
}

impl Sessions {
    /// Signs with the configured secret.
    pub fn configured(secret: &str) -> Self {
        Self {
            key: Key::derive_from(secret.as_bytes()),
        }
    }

    /// Signs with the key in the data folder, and creates it if there is none.
    ///
    /// # Errors
    /// If the file cannot be read or created, or does not hold a key.
    pub fn kept_in(data_dir: &Path) -> Result<Self, KeyError> {
        let path = data_dir.join(KEY_FILE);
        let problem = |problem: String| KeyError {
            path: path.display().to_string(),
            problem,
        };
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                make(&path).map_err(|error| problem(format!("cannot be made: {error}")))?
            }
            Err(error) => return Err(problem(format!("cannot be read: {error}"))),
        };
        let wrong = || {
            let bytes = bytes.len();
            problem(format!(
                "has {bytes} bytes instead of {KEY_BYTES}; restore it or remove it"
            ))
        };
        Self::with_key(&bytes).ok_or_else(wrong)
    }

    /// The key in the data folder, if there is one.
    ///
    /// # Errors
    /// If the file cannot be read, or does not hold a key.
    pub fn key_in(data_dir: &Path) -> Result<Option<Vec<u8>>, KeyError> {
        if !data_dir.join(KEY_FILE).exists() {
            return Ok(None);
        }
        Self::kept_in(data_dir).map(|sessions| Some(sessions.key.master().to_vec()))
    }

    /// Signs with a key that [`fresh_key`] made. `None` if the length is wrong.
    pub fn with_key(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == KEY_BYTES).then(|| Self {
            key: Key::from(bytes),
        })
    }

    /// The session of a request: the first cookie of that name that carries our signature. Other sites on this host may
    /// set cookies of the same name.
    pub fn read(&self, headers: &HeaderMap) -> Option<SessionToken> {
        let jar = CookieJar::new();
        let ours = cookies(headers)
            .filter(|cookie| cookie.name() == SESSION)
            .find_map(|cookie| jar.signed(&self.key).verify(cookie.into_owned()))?;
        SessionToken::try_from(ours.value().to_owned()).ok()
    }

    /// The `Set-Cookie` value that gives a browser this session.
    pub fn set(&self, session: &SessionToken, secure: bool) -> String {
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key)
            .add(base(SESSION, session.as_str().to_owned(), secure).http_only(true));
        jar.get(SESSION).map(Cookie::to_string).unwrap_or_default()
    }

    /// The `Set-Cookie` value that removes the session.
    pub fn clear(secure: bool) -> String {
        let mut cookie = base(SESSION, String::new(), secure).http_only(true).build();
        cookie.make_removal();
        cookie.to_string()
    }
}

/// A cookie that needs no signature.
pub fn plain<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cookie<'a>> {
    cookies(headers).find(|cookie| cookie.name() == name)
}

/// The `Set-Cookie` value of a cookie that scripts may read.
pub fn set_plain(name: &'static str, value: &str, secure: bool) -> String {
    base(name, value.to_owned(), secure).to_string()
}

/// The `Set-Cookie` value of a cookie that scripts cannot read and that expires after this time.
pub fn brief(name: &'static str, value: String, secure: bool, kept: cookie::time::Duration) -> String {
    let cookie = base(name, value, secure).http_only(true).max_age(kept);
    // Removes `Expires`, which would contradict `Max-Age`.
    cookie.expires(cookie::Expiration::Session).to_string()
}

/// Every cookie that can be parsed. Others, such as those of other sites in another encoding, are skipped.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let values = headers.get_all(COOKIE).into_iter();
    let pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| Cookie::parse(pair.trim()).ok())
}

fn base(name: &'static str, value: String, secure: bool) -> cookie::CookieBuilder<'static> {
    Cookie::build((name, value))
        .path("/")
        .same_site(SameSite::Lax)
        .secure(secure)
        .permanent()
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    OpenOptions::new()
        .read(true)
        .open(path)?
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Generates a random key.
///
/// # Errors
/// If the system has no random numbers.
pub fn fresh_key() -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

fn make(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = fresh_key()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(set_cookie: &str) -> HeaderMap {
        let pair = set_cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, pair.parse().unwrap())])
    }

    #[test]
    fn only_the_right_key_recognises_a_session() {
        let folder = tempfile::tempdir().unwrap();
        let token = SessionToken::from_random(7);
        let ours = Sessions::kept_in(folder.path()).unwrap();
        let cookie = ours.set(&token, true);
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Secure"));
        let again = Sessions::kept_in(folder.path()).unwrap();
        assert_eq!(
            again.read(&header(&cookie)),
            Some(token.clone()),
            "the key is kept"
        );
        let other = Sessions::configured(&"k".repeat(32));
        assert_eq!(
            other.read(&header(&cookie)),
            None,
            "another key signs differently"
        );
        assert_eq!(
            ours.read(&header(&format!("{SESSION}={}", token.as_str()))),
            None,
            "unsigned"
        );
    }

    #[test]
    fn cookies_of_other_sites_do_no_harm() {
        let ours = Sessions::configured(&"k".repeat(32));
        let token = SessionToken::from_random(7);
        let session = ours.set(&token, false);
        let session = session.split(';').next().unwrap().as_bytes();
        for others in [
            &b"caf\xe9=1"[..],
            "größe=ä".as_bytes(),
            b"=; ;;; x",
            b"hubbub_session=tossed",
            b"\"quoted\"=\"1",
        ] {
            for header in [
                [others, b"; ", session].concat(),
                [session, b"; ", others].concat(),
            ] {
                let value = http::HeaderValue::from_bytes(&header).unwrap();
                let headers = HeaderMap::from_iter([(COOKIE, value)]);
                let header = String::from_utf8_lossy(&header);
                assert_eq!(ours.read(&headers), Some(token.clone()), "{header}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Sessions::kept_in(folder.path()).unwrap();
        let mode = std::fs::metadata(folder.path().join(KEY_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.path().join(KEY_FILE), b"short").unwrap();
        assert!(Sessions::kept_in(folder.path()).is_err());
    }
}
