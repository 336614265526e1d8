//! Where an archive can be read: `http:`, `https:` or a local folder.

use std::{fmt, path::PathBuf};

use serde::Deserialize;

/// The root of an archive or a file in one; validated, without `?`, `#` and a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Uri {
    scheme: Scheme,
    /// What follows the scheme: `//host/path` or an absolute local path, percent-encoded.
    rest: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    Http,
    Https,
    /// `file:` and apt's `copy:`.
    File,
}

/// Why a text names no place that archives can be read from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUri {
    #[error("expected a URI such as `https://host/debian` or `file:/srv/mirror`, found `{0}`")]
    Form(String),
    #[error("scheme `{0}` is not one of http, https, file, copy")]
    Scheme(String),
}

impl Uri {
    pub fn parse(text: &str) -> Result<Self, BadUri> {
        let form = || BadUri::Form(text.chars().take(120).collect());
        let (scheme, rest) = text.split_once(':').ok_or_else(form)?;
        if !rest.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>')) {
            return Err(form());
        }
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "file" | "copy" => Scheme::File,
            other => return Err(BadUri::Scheme(other.chars().take(40).collect())),
        };
        let good = match scheme {
            Scheme::File => {
                // The authority of a local file is empty, or left out with its slashes.
                let path = rest.strip_prefix("//").unwrap_or(rest);
                path.starts_with('/') && decode(path).is_some()
            }
            Scheme::Http | Scheme::Https => {
                rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '@']))
            }
        };
        if !good {
            return Err(form());
        }
        let rest = if scheme == Scheme::File { rest.strip_prefix("//").unwrap_or(rest) } else { rest };
        Ok(Self { scheme, rest: rest.trim_end_matches('/').to_owned() })
    }

    /// The file at `path`, relative and made of names, below this place.
    pub fn join(&self, path: &str) -> Self {
        let mut rest = self.rest.clone();
        for part in path.split('/') {
            rest.push('/');
            for byte in part.bytes() {
                // RFC 3986 §3.3: what may stand in a path as it is. Debian's `+` and `~` are among it.
                if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
                    rest.push(char::from(byte));
                } else {
                    rest.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        Self { scheme: self.scheme, rest }
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// `host[:port]`; empty for a local folder.
    pub fn host(&self) -> &str {
        match self.scheme {
            Scheme::File => "",
            Scheme::Http | Scheme::Https => {
                let authority = self.rest.trim_start_matches('/').split('/').next().unwrap_or_default();
                authority.rsplit('@').next().unwrap_or_default()
            }
        }
    }

    /// The local path of a `file:` URI.
    pub fn local_path(&self) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        let path = decode(&self.rest).filter(|_| self.scheme == Scheme::File)?;
        Some(PathBuf::from(std::ffi::OsString::from_vec(if path.is_empty() { b"/".to_vec() } else { path })))
    }

    /// The whole URI for a client, with what [`Uri`]'s `Display` keeps to itself.
    pub fn to_request(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::File => "file",
        };
        format!("{scheme}:{}", self.rest)
    }
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|byte| *byte != 0)?);
        rest = after;
    }
    Some(bytes)
}

impl TryFrom<String> for Uri {
    type Error = BadUri;

    fn try_from(text: String) -> Result<Self, BadUri> {
        Self::parse(&text)
    }
}

/// For messages and locks: a user name and password are left out.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.to_request();
        let (scheme, rest) = whole.split_once("//").unwrap_or(("", &whole));
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        match (authority.rsplit_once('@'), path) {
            (Some((_, host)), Some(path)) if !scheme.is_empty() => write!(f, "{scheme}//{host}/{path}"),
            (Some((_, host)), None) if !scheme.is_empty() => write!(f, "{scheme}//{host}"),
            _ => f.write_str(&whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_archive_roots() {
        let check = |text: &str, expect: &str| {
            let shown = Uri::parse(text).map_or_else(|error| error.to_string(), |uri| uri.to_string());
            assert_eq!(shown, expect, "{text}");
        };
        check("http://example.org/debian/", "http://example.org/debian");
        check("https://example.org:8443", "https://example.org:8443");
        check("https://me:secret@example.org/x@y", "https://example.org/x@y");
        check("https://me:secret@example.org", "https://example.org");
        check("file:///srv/mirror/", "file:/srv/mirror");
        check("copy:/srv/a@b/c", "file:/srv/a@b/c");
        check("file:/", "file:");
        check("ftp://example.org/debian", "scheme `ftp` is not one of http, https, file, copy");
        for bad in ["", "debian", "http:", "http://", "http:///debian", "http:debian", "file:srv", "file://host/srv"] {
            let expect = format!("expected a URI such as `https://host/debian` or `file:/srv/mirror`, found `{bad}`");
            check(bad, &expect);
        }
        for bad in ["http://example.org/a b", "http://example.org/?a", "http://é.org/", "file:/%0", "file:/%+1"] {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn joins_paths() {
        let uri = Uri::parse("http://example.org/debian/").expect("a URI");
        let file = uri.join("pool/main/g/g++/g++_4%3a12~1 é.deb");
        assert_eq!(file.to_string(), "http://example.org/debian/pool/main/g/g++/g++_4%253a12~1%20%C3%A9.deb");
        assert_eq!(file.host(), "example.org");
        let file = Uri::parse("file:///srv/my%20mirror").expect("a URI").join("a b");
        assert_eq!(file.local_path(), Some("/srv/my mirror/a b".into()));
        assert_eq!(Uri::parse("file:///").expect("a URI").local_path(), Some("/".into()));
        assert_eq!(uri.local_path(), None);
    }
}
