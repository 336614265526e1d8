//! Triggers: what packages are interested in and activate, and the files in `/var/lib/dpkg/triggers`.
//!
//! A name that begins with `/` is a path: it is activated by whatever installs something at or below it. Other names are
//! activated by name alone. A package whose activation is awaited is not configured until the trigger has been processed.

pub const FOLDER: &[u8] = b"/var/lib/dpkg/triggers";
/// Interests in paths: `PATH PACKAGE[/noawait]` lines in the order in which they came.
pub const FILE: &[u8] = b"/var/lib/dpkg/triggers/File";
/// Activations that dpkg has not taken note of yet.
pub const UNINCORPORATED: &[u8] = b"/var/lib/dpkg/triggers/Unincorp";

/// A line of a package's `triggers` member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    pub kind: DirectiveKind,
    pub name: String,
    /// Whether the activating package waits for the trigger to be processed.
    pub awaits: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectiveKind {
    Interest,
    Activate,
}

/// A line of a triggers file that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct TriggerError {
    pub line: usize,
    pub fault: TriggerFault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TriggerFault {
    #[error("unknown directive `{}`", .0.escape_ascii())]
    Directive(Vec<u8>),
    #[error("`{}` is no trigger name", .0.escape_ascii())]
    Name(Vec<u8>),
    #[error("`{}` is no package name", .0.escape_ascii())]
    Package(Vec<u8>),
}

/// Whether a trigger's name is a path; `None` for what is no name.
pub fn is_path(name: &str) -> Option<bool> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    if let Some(path) = name.strip_prefix('/') {
        return path.split('/').all(|part| !part.is_empty()).then_some(true);
    }
    let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
    (name.as_bytes()[0].is_ascii_alphanumeric() && name.bytes().all(valid)).then_some(false)
}

fn name(text: &[u8]) -> Result<String, TriggerFault> {
    let name = std::str::from_utf8(text).ok().filter(|name| is_path(name).is_some());
    name.map(str::to_owned).ok_or_else(|| TriggerFault::Name(text.to_vec()))
}

/// Reads a package's `triggers` member, as deb-triggers(5) has it.
pub fn parse_directives(bytes: &[u8]) -> Result<Vec<Directive>, TriggerError> {
    numbered(bytes, |line| {
        let split = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (kind, awaits) = match &line[..split] {
            b"interest" | b"interest-await" => (DirectiveKind::Interest, true),
            b"interest-noawait" => (DirectiveKind::Interest, false),
            b"activate" | b"activate-await" => (DirectiveKind::Activate, true),
            b"activate-noawait" => (DirectiveKind::Activate, false),
            unknown => return Err(TriggerFault::Directive(unknown.to_vec())),
        };
        Ok(Directive { kind, name: name(line[split..].trim_ascii())?, awaits })
    })
}

/// Lines without comments and blanks at either end, each through `parse`.
fn numbered<T>(bytes: &[u8], parse: impl Fn(&[u8]) -> Result<T, TriggerFault>) -> Result<Vec<T>, TriggerError> {
    let lines = bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
        .map(|(index, line)| parse(line).map_err(|fault| TriggerError { line: index + 1, fault }))
        .collect()
}

/// A package that is interested in a trigger; its name is qualified by the architecture when several can be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    pub package: String,
    pub awaits: bool,
}

impl Interest {
    fn parse(text: &[u8]) -> Result<Self, TriggerFault> {
        let end = text.iter().position(|&b| b == b'/').unwrap_or(text.len());
        let package = package(&text[..end])?;
        Ok(Self { package, awaits: &text[end..] != b"/noawait" })
    }

    fn render(&self) -> String {
        format!("{}{}", self.package, if self.awaits { "" } else { "/noawait" })
    }
}

fn package(text: &[u8]) -> Result<String, TriggerFault> {
    let valid = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.' | b':' | b'_');
    let fault = || TriggerFault::Package(text.to_vec());
    if !text.first().is_some_and(u8::is_ascii_alphanumeric) || !text.iter().all(valid) {
        return Err(fault());
    }
    String::from_utf8(text.to_vec()).map_err(|_| fault())
}

/// Reads the file of a trigger that is no path: who is interested, one a line.
pub fn parse_interests(bytes: &[u8]) -> Result<Vec<Interest>, TriggerError> {
    numbered(bytes, Interest::parse)
}

pub fn render_interests(interests: &[Interest]) -> String {
    interests.iter().map(|interest| interest.render() + "\n").collect()
}

/// Reads [`FILE`].
pub fn parse_path_interests(bytes: &[u8]) -> Result<Vec<(String, Interest)>, TriggerError> {
    numbered(bytes, |line| {
        let split = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        Ok((name(&line[..split])?, Interest::parse(line[split..].trim_ascii())?))
    })
}

pub fn render_path_interests(interests: &[(String, Interest)]) -> String {
    interests.iter().map(|(path, interest)| format!("{path} {}\n", interest.render())).collect()
}

/// An activation: the trigger, and the packages that await it; `-` stands for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    pub name: String,
    pub awaiting: Vec<Option<String>>,
}

/// Reads [`UNINCORPORATED`].
pub fn parse_activations(bytes: &[u8]) -> Result<Vec<Activation>, TriggerError> {
    numbered(bytes, |line| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let name = name(words.next().unwrap_or_default())?;
        let awaiting = words.map(|word| if word == b"-" { Ok(None) } else { package(word).map(Some) });
        Ok(Activation { name, awaiting: awaiting.collect::<Result<_, _>>()? })
    })
}

/// Adds an activation as dpkg-trigger(1) does: the newest package stands first.
pub fn activate(activations: &mut Vec<Activation>, name: &str, awaiting: Option<String>) {
    match activations.iter_mut().find(|known| known.name == name) {
        Some(known) => {
            known.awaiting.retain(|package| *package != awaiting);
            known.awaiting.insert(0, awaiting);
        }
        None => activations.push(Activation { name: name.to_owned(), awaiting: vec![awaiting] }),
    }
}

pub fn render_activations(activations: &[Activation]) -> String {
    let mut out = String::new();
    for activation in activations {
        out.push_str(&activation.name);
        for package in &activation.awaiting {
            out.push(' ');
            out.push_str(package.as_deref().unwrap_or("-"));
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &str, expect: Option<bool>| assert_eq!(is_path(name), expect, "{name}");
        check("ldconfig", Some(false));
        check("update-initramfs", Some(false));
        check("/usr/share/doc", Some(true));
        check("/", None);
        check("/usr/", None);
        check("/usr//doc", None);
        check("", None);
        check("a b", None);
        check("a_b", None);
    }

    #[test]
    fn directives() {
        let text = b"# comment\n\ninterest-noawait /usr/share/debianutils/shells.d\nactivate  ldconfig \ninterest x\n";
        let read = parse_directives(text).expect("valid");
        let shown: Vec<_> =
            read.iter().map(|d| (d.kind == DirectiveKind::Interest, d.name.as_str(), d.awaits)).collect();
        assert_eq!(
            shown,
            [(true, "/usr/share/debianutils/shells.d", false), (false, "ldconfig", true), (true, "x", true)]
        );
        let bad = |text: &str| parse_directives(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(bad("watch x"), Err("line 1: unknown directive `watch`".to_owned()));
        assert_eq!(bad("\ninterest"), Err("line 2: `` is no trigger name".to_owned()));
    }

    #[test]
    fn files_come_back() {
        let paths = "/usr/share/debianutils/shells.d debianutils/noawait\n/usr/lib/x libx:amd64\n";
        let read = parse_path_interests(paths.as_bytes()).expect("valid");
        assert_eq!(render_path_interests(&read), paths);
        let named = "libc-bin\nother/noawait\n";
        assert_eq!(render_interests(&parse_interests(named.as_bytes()).expect("valid")), named);
        let pending = "ldconfig libc6:amd64 -\n/a/b -\n";
        let mut read = parse_activations(pending.as_bytes()).expect("valid");
        assert_eq!(render_activations(&read), pending);
        activate(&mut read, "ldconfig", None);
        activate(&mut read, "new", Some("p".to_owned()));
        assert_eq!(render_activations(&read), "ldconfig - libc6:amd64\n/a/b -\nnew p\n");
    }
}
