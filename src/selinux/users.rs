//! `seusers(5)` and `users_extra`: which user of the policy a login is, and the prefix of a user's home labels.

use std::collections::BTreeMap;

use super::{Error, contexts};

/// The login that stands for every other.
pub(super) const DEFAULT: &[u8] = b"__default__";

/// A line of `seusers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// An account, `%GROUP`, or `__default__`.
    pub name: Vec<u8>,
    pub user: Vec<u8>,
    /// Levels, the lowest and the highest.
    pub low: Vec<u8>,
    pub high: Vec<u8>,
}

impl Login {
    /// With its newline; both levels are written even when they are one.
    pub fn line(&self) -> Vec<u8> {
        [&self.name, b":".as_slice(), &self.user, b":", &self.low, b"-", &self.high, b"\n"].concat()
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

/// A module's logins as libsepol's compiler orders them: each before the ones that are already there, `__default__` behind.
pub fn seusers(text: &[u8]) -> Result<Vec<Login>, Error> {
    let mut logins = Vec::new();
    for line in lines(text) {
        let mut parts = line.splitn(3, |&b| b == b':').filter(|part| !part.is_empty());
        let (Some(name), Some(user), Some(range)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::line(line, "no login, user and range of levels"));
        };
        let (low, high) = contexts::range(range).ok_or_else(|| Error::line(line, "no range of levels"))?;
        let login = Login { name: name.to_vec(), user: user.to_vec(), low, high };
        let at = if name == DEFAULT { logins.len() } else { 0 };
        logins.insert(at, login);
    }
    Ok(logins)
}

/// What `users_extra` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsersExtra {
    /// Prefixes by user.
    pub prefixes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// All lines in the module's order, as libsepol's compiler writes them.
    pub text: Vec<u8>,
}

pub fn users_extra(text: &[u8]) -> Result<UsersExtra, Error> {
    let mut extra = UsersExtra::default();
    for line in lines(text) {
        let fields: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
        let [b"user", user, b"prefix", prefix] = fields.as_slice() else {
            return Err(Error::line(line, "not `user NAME prefix PREFIX;`"));
        };
        let prefix = prefix.strip_suffix(b";").ok_or_else(|| Error::line(line, "no semicolon at the end"))?;
        extra.prefixes.insert(user.to_vec(), prefix.to_vec());
        extra.text.extend([b"user ", *user, b" prefix ", prefix, b";\n"].concat());
    }
    Ok(extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_logins() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let found = seusers(text.as_bytes()).map(|logins| logins.iter().flat_map(Login::line).collect::<Vec<_>>());
            let found = found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|e| e.to_string());
            assert_eq!(found, expect.map(str::to_owned).map_err(str::to_owned), "{text}");
        };
        check("", Ok(""));
        check(
            "root:u:s0-s0:c0.c1023\n__default__:u:s0\n# x\nsddm:x:s0\n",
            Ok("sddm:x:s0-s0\nroot:u:s0-s0:c0.c1023\n__default__:u:s0-s0\n"),
        );
        check("root:u\n", Err("line `root:u`: no login, user and range of levels"));
        check("root:u:s0:c1,c3\n", Err("line `root:u:s0:c1,c3`: no range of levels"));
    }

    #[test]
    fn reads_prefixes() {
        let extra = users_extra(b"user  a prefix b;\n\n").expect("valid");
        assert_eq!(extra.prefixes, [(b"a".to_vec(), b"b".to_vec())].into());
        assert_eq!(extra.text, b"user a prefix b;\n");
        assert!(users_extra(b"user a prefix b\n").is_err());
        assert!(users_extra(b"a prefix b;\n").is_err());
    }
}
