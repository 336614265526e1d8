//! One line of each file of the user database, as fields and back.

use crate::shell::accounts::number;

/// A kind of line.
pub(in crate::shell) trait Record: Clone {
    /// Reads a line without its newline; `None` when it is not of this kind.
    fn parse(line: &[u8]) -> Option<Self>;
    fn format(&self) -> Vec<u8>;
    /// What the line is looked up by.
    fn name(&self) -> &[u8];
}

/// passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct User {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
    pub comment: Vec<u8>,
    pub home: Vec<u8>,
    pub shell: Vec<u8>,
}

/// group(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Group {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub gid: u32,
    pub members: Vec<Vec<u8>>,
}

/// Days of shadow(5); `None` is the empty field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::shell) struct Aging {
    pub changed: Option<i64>,
    pub minimum: Option<i64>,
    pub maximum: Option<i64>,
    pub warning: Option<i64>,
    pub inactive: Option<i64>,
    pub expires: Option<i64>,
}

/// shadow(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Shadow {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub aging: Aging,
    pub reserved: Vec<u8>,
}

/// gshadow(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct GroupShadow {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub administrators: Vec<Vec<u8>>,
    pub members: Vec<Vec<u8>>,
}

/// A line of subuid(5) or subgid(5): `count` ids from `start` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Subordinate {
    pub owner: Vec<u8>,
    pub start: u64,
    pub count: u64,
}

fn fields<const N: usize>(line: &[u8]) -> Option<[&[u8]; N]> {
    let fields: Vec<&[u8]> = line.split(|&b| b == b':').collect();
    fields.try_into().ok()
}

fn id(field: &[u8]) -> Option<u32> {
    number(field).filter(|_| !field.is_empty())
}

fn list(field: &[u8]) -> Vec<Vec<u8>> {
    field.split(|&b| b == b',').filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
}

impl Record for User {
    fn parse(line: &[u8]) -> Option<Self> {
        let [name, password, uid, gid, comment, home, shell] = fields(line)?;
        if name.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_vec(),
            password: password.to_vec(),
            uid: id(uid)?,
            gid: id(gid)?,
            comment: comment.to_vec(),
            home: home.to_vec(),
            shell: shell.to_vec(),
        })
    }

    fn format(&self) -> Vec<u8> {
        let (uid, gid) = (self.uid.to_string(), self.gid.to_string());
        let fields: [&[u8]; 7] =
            [&self.name, &self.password, uid.as_bytes(), gid.as_bytes(), &self.comment, &self.home, &self.shell];
        fields.join(&b':')
    }

    fn name(&self) -> &[u8] {
        &self.name
    }
}

impl Record for Group {
    fn parse(line: &[u8]) -> Option<Self> {
        let [name, password, gid, members] = fields(line)?;
        if name.is_empty() {
            return None;
        }
        Some(Self { name: name.to_vec(), password: password.to_vec(), gid: id(gid)?, members: list(members) })
    }

    fn format(&self) -> Vec<u8> {
        let gid = self.gid.to_string();
        let members = self.members.join(&b',');
        [&self.name, &self.password, gid.as_bytes(), &members].join(&b':')
    }

    fn name(&self) -> &[u8] {
        &self.name
    }
}

fn day(field: &[u8]) -> Option<Option<i64>> {
    if field.is_empty() {
        return Some(None);
    }
    let number: i64 = std::str::from_utf8(field).ok()?.parse().ok()?;
    Some(Some(number).filter(|&day| day != -1))
}

impl Record for Shadow {
    fn parse(line: &[u8]) -> Option<Self> {
        let [name, password, changed, minimum, maximum, warning, inactive, expires, reserved] = fields(line)?;
        if name.is_empty() {
            return None;
        }
        let aging = Aging {
            changed: day(changed)?,
            minimum: day(minimum)?,
            maximum: day(maximum)?,
            warning: day(warning)?,
            inactive: day(inactive)?,
            expires: day(expires)?,
        };
        Some(Self { name: name.to_vec(), password: password.to_vec(), aging, reserved: reserved.to_vec() })
    }

    fn format(&self) -> Vec<u8> {
        let Aging { changed, minimum, maximum, warning, inactive, expires } = self.aging;
        let mut line = [self.name.as_slice(), &self.password].join(&b':');
        for day in [changed, minimum, maximum, warning, inactive, expires] {
            line.push(b':');
            line.extend_from_slice(day.map(|day| day.to_string()).unwrap_or_default().as_bytes());
        }
        line.push(b':');
        line.extend_from_slice(&self.reserved);
        line
    }

    fn name(&self) -> &[u8] {
        &self.name
    }
}

impl Record for GroupShadow {
    fn parse(line: &[u8]) -> Option<Self> {
        let [name, password, administrators, members] = fields(line)?;
        if name.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_vec(),
            password: password.to_vec(),
            administrators: list(administrators),
            members: list(members),
        })
    }

    fn format(&self) -> Vec<u8> {
        let (administrators, members) = (self.administrators.join(&b','), self.members.join(&b','));
        [&self.name, &self.password, &administrators, &members].map(Vec::as_slice).join(&b':')
    }

    fn name(&self) -> &[u8] {
        &self.name
    }
}

impl Record for Subordinate {
    fn parse(line: &[u8]) -> Option<Self> {
        let [owner, start, count] = fields(line)?;
        if owner.is_empty() {
            return None;
        }
        Some(Self { owner: owner.to_vec(), start: id(start)?.into(), count: id(count)?.into() })
    }

    fn format(&self) -> Vec<u8> {
        let mut line = self.owner.clone();
        line.extend_from_slice(format!(":{}:{}", self.start, self.count).as_bytes());
        line
    }

    fn name(&self) -> &[u8] {
        &self.owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<R: Record>(line: &str, expect: Option<&str>) {
        let got = R::parse(line.as_bytes()).map(|record| String::from_utf8_lossy(&record.format()).into_owned());
        assert_eq!(got.as_deref(), expect, "{line}");
    }

    #[test]
    fn lines_and_back() {
        check::<User>("root:x:0:0:root:/root:/bin/bash", Some("root:x:0:0:root:/root:/bin/bash"));
        check::<User>("root:x::0:root:/root:/bin/bash", None);
        check::<User>("root:x:0:0:root:/root", None);
        check::<Group>("adm:x:04:a,,b", Some("adm:x:4:a,b"));
        check::<Shadow>("a:*:20780:0:99999:7:::", Some("a:*:20780:0:99999:7:::"));
        check::<Shadow>("a:!:-1::::::", Some("a:!:::::::"));
        check::<GroupShadow>("a:!::b,c", Some("a:!::b,c"));
        check::<Subordinate>("a:100000:65536", Some("a:100000:65536"));
    }
}
