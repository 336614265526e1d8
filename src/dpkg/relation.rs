//! Dependency fields, read and written as dpkg does.

use std::fmt;

use crate::deb::version::Version;

/// The fields that relate packages, in the order in which dpkg keeps and writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Replaces,
    Provides,
    Depends,
    PreDepends,
    Recommends,
    Suggests,
    Breaks,
    Conflicts,
    Enhances,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Replaces,
        Self::Provides,
        Self::Depends,
        Self::PreDepends,
        Self::Recommends,
        Self::Suggests,
        Self::Breaks,
        Self::Conflicts,
        Self::Enhances,
    ];

    pub fn field(self) -> &'static str {
        match self {
            Self::Replaces => "Replaces",
            Self::Provides => "Provides",
            Self::Depends => "Depends",
            Self::PreDepends => "Pre-Depends",
            Self::Recommends => "Recommends",
            Self::Suggests => "Suggests",
            Self::Breaks => "Breaks",
            Self::Conflicts => "Conflicts",
            Self::Enhances => "Enhances",
        }
    }

    /// Whether each group has one relation: `|` makes no sense there.
    fn is_single(self) -> bool {
        matches!(self, Self::Replaces | Self::Provides | Self::Breaks | Self::Conflicts)
    }
}

/// How a version must stand to the one that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Earlier,
    EarlierOrEqual,
    Equal,
    LaterOrEqual,
    Later,
}

impl Comparison {
    pub fn holds(self, left: &Version, right: &Version) -> bool {
        match self {
            Self::Earlier => left < right,
            Self::EarlierOrEqual => left <= right,
            Self::Equal => left == right,
            Self::LaterOrEqual => left >= right,
            Self::Later => left > right,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Equal => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        })
    }
}

/// One package that a group names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// In lower case.
    pub package: String,
    /// What stands behind a colon: an architecture, or `any`.
    pub architecture: Option<String>,
    pub version: Option<(Comparison, Version)>,
}

/// Relations of which one must hold.
pub type Group = Vec<Relation>;

/// What is wrong with a dependency field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    #[error("expected a package name at `{0}`")]
    Name(String),
    #[error("bad architecture after `{0}`")]
    Architecture(String),
    #[error("bad version after `{0}`")]
    Version(String),
    #[error("unexpected text after `{0}`")]
    Junk(String),
    #[error("alternatives in a field that has none")]
    Alternatives,
}

/// Whether dpkg takes this for a package's name.
pub fn is_package_name(name: &str) -> bool {
    let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.' | b'_');
    name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric()) && name.bytes().all(valid)
}

pub fn parse(kind: Kind, text: &str) -> Result<Vec<Group>, RelationError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let group = |group: &str| {
        let relations: Group = group.split('|').map(|one| relation(one.trim())).collect::<Result<_, _>>()?;
        if kind.is_single() && relations.len() > 1 { Err(RelationError::Alternatives) } else { Ok(relations) }
    };
    text.split(',').map(group).collect()
}

fn relation(text: &str) -> Result<Relation, RelationError> {
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == ':' || c == '(').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !is_package_name(name) {
        return Err(RelationError::Name(text.chars().take(40).collect()));
    }
    let (architecture, rest) = match rest.strip_prefix(':') {
        None => (None, rest),
        Some(rest) => {
            let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '(').unwrap_or(rest.len());
            let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            if end == 0 || !rest[..end].bytes().all(valid) {
                return Err(RelationError::Architecture(name.to_owned()));
            }
            (Some(rest[..end].to_owned()), &rest[end..])
        }
    };
    let rest = rest.trim();
    let version = match rest.strip_prefix('(') {
        None if rest.is_empty() => None,
        None => return Err(RelationError::Junk(name.to_owned())),
        Some(rest) => {
            let inside = rest.strip_suffix(')').ok_or_else(|| RelationError::Version(name.to_owned()))?;
            Some(constraint(inside.trim()).ok_or_else(|| RelationError::Version(name.to_owned()))?)
        }
    };
    Ok(Relation { package: name.to_ascii_lowercase(), architecture, version })
}

/// `>= 1.0`; the obsolete `<` and `>` mean what they always did: or equal. No operator means equality.
fn constraint(text: &str) -> Option<(Comparison, Version)> {
    let operators = [
        ("<<", Comparison::Earlier),
        ("<=", Comparison::EarlierOrEqual),
        (">=", Comparison::LaterOrEqual),
        (">>", Comparison::Later),
        ("<", Comparison::EarlierOrEqual),
        (">", Comparison::LaterOrEqual),
        ("=", Comparison::Equal),
        ("", Comparison::Equal),
    ];
    let (rest, comparison) =
        operators.iter().find_map(|(operator, comparison)| Some((text.strip_prefix(operator)?, *comparison)))?;
    Some((comparison, Version::new(rest.trim()).ok()?))
}

/// A version as dpkg writes it: without an epoch of 0, unless the rest would then be read as having one.
pub fn render_version(version: &Version) -> String {
    let text = version.as_str();
    let Some((epoch, rest)) = text.split_once(':') else { return text.to_owned() };
    match epoch.trim_start_matches(['+', '0']) {
        "" if !rest.contains(':') => rest.to_owned(),
        "" => format!("0:{rest}"),
        digits => format!("{digits}:{rest}"),
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.package)?;
        if let Some(architecture) = &self.architecture {
            write!(f, ":{architecture}")?;
        }
        match &self.version {
            Some((comparison, version)) => write!(f, " ({comparison} {})", render_version(version)),
            None => Ok(()),
        }
    }
}

pub fn render(groups: &[Group]) -> String {
    groups.iter().map(|group| render_group(group)).collect::<Vec<_>>().join(", ")
}

pub fn render_group(group: &[Relation]) -> String {
    group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let got = parse(Kind::Depends, text).map(|groups| render(&groups)).map_err(|error| error.to_string());
            assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned), "{text}");
        };
        check("", Ok(""));
        check("a", Ok("a"));
        check("a(>=1)|b:any ( <<  2-1 ) ,\n c [x]", Err("unexpected text after `c`"));
        check("a(>=1)|b:any ( <<  2-1 ) ,\n Cc", Ok("a (>= 1) | b:any (<< 2-1), cc"));
        check("a (< 0:1), b (> 1:2), c (= 0:1:2), d (3)", Ok("a (<= 1), b (>= 1:2), c (= 0:1:2), d (= 3)"));
        check("a,", Err("expected a package name at ``"));
        check("a (>= 1", Err("bad version after `a`"));
        check("a (>= x)", Err("bad version after `a`"));
        check("a: b", Err("bad architecture after `a`"));
        assert_eq!(parse(Kind::Breaks, "a | b"), Err(RelationError::Alternatives));
    }
}
