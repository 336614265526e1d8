//! One package of the database, read from its control file or from a paragraph of the status file, and written back.

use std::collections::BTreeMap;

use super::{
    relation::{self, Group, Kind, RelationError, is_package_name, render_version},
    state::{self, Flag, State, Want},
};
use crate::deb::{
    control::Paragraph,
    version::{self, Version},
};

/// A package as the database holds it.
#[derive(Clone, Debug)]
pub struct Package {
    /// In lower case.
    pub name: String,
    pub want: Want,
    pub flag: Flag,
    pub state: State,
    pub essential: bool,
    pub protected: bool,
    /// Fields of plain text by their canonical names.
    texts: BTreeMap<&'static str, Vec<u8>>,
    pub architecture: String,
    pub multi_arch: MultiArch,
    pub version: Version,
    /// The version that was configured last.
    pub config_version: Option<Version>,
    relations: BTreeMap<Kind, Vec<Group>>,
    pub conffiles: Vec<Conffile>,
    /// Newest first, as dpkg notes them.
    pub triggers_pending: Vec<String>,
    /// Packages whose triggers are awaited, by their names in the status file.
    pub triggers_awaited: Vec<String>,
    /// Fields that dpkg doesn't know, in the order of the control file.
    pub others: Vec<Other>,
}

/// Whether packages of several architectures go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiArch {
    No,
    Same,
    Allowed,
    Foreign,
}

const MULTI_ARCH: [(MultiArch, &str); 4] = [
    (MultiArch::No, "no"),
    (MultiArch::Same, "same"),
    (MultiArch::Allowed, "allowed"),
    (MultiArch::Foreign, "foreign"),
];

/// A configuration file and the sum of what the package brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conffile {
    pub path: Vec<u8>,
    /// 32 hex digits, or `newconffile` before the package is configured.
    pub md5: String,
    pub obsolete: bool,
    pub remove_on_upgrade: bool,
}

/// A field that dpkg doesn't know, by name, and its value.
pub type Other = (Vec<u8>, Vec<u8>);

/// The sum of a conffile that has never been configured.
pub const NEW_CONFFILE: &str = "newconffile";

/// A paragraph that is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    #[error("field `{field}`: {fault}")]
    Relation { field: &'static str, fault: RelationError },
    #[error(transparent)]
    Version(#[from] version::Error),
    #[error("field `{field}` has the bad value `{}`", value.escape_ascii())]
    Value { field: &'static str, value: Vec<u8> },
    #[error("field `{0}` is not allowed in a control file")]
    Status(String),
    #[error("obsolete field `{0}`")]
    Obsolete(String),
}

/// Fields of plain text that dpkg knows.
pub const TEXTS: [&str; 8] =
    ["Priority", "Section", "Installed-Size", "Origin", "Maintainer", "Bugs", "Source", "Description"];

/// Fields about archives, which the status file never has.
const ARCHIVES: [&str; 4] = ["Filename", "Size", "MD5sum", "MSDOS-Filename"];

const OBSOLETE: [&str; 6] = ["Recommended", "Optional", "Class", "Revision", "Package-Revision", "Package_Revision"];

const PRIORITIES: [&str; 6] = ["required", "important", "standard", "optional", "extra", "unknown"];

impl Package {
    /// Reads the control file of a .deb: a package that is not installed yet.
    pub fn from_control(paragraph: &Paragraph<'_>) -> Result<Self, PackageError> {
        for field in ["Status", "Config-Version", "Conffiles", "Triggers-Pending", "Triggers-Awaited"] {
            if paragraph.get(field).is_some() {
                return Err(PackageError::Status(field.to_owned()));
            }
        }
        Self::from_paragraph(paragraph)
    }

    /// Reads a paragraph of the status file.
    pub fn from_status(paragraph: &Paragraph<'_>) -> Result<Self, PackageError> {
        let mut package = Self::from_paragraph(paragraph)?;
        let status = required(paragraph, "Status")?;
        let words = state::parse(&status).ok_or_else(|| bad("Status", status.as_bytes()))?;
        (package.want, package.flag, package.state) = words;
        package.config_version = match text(paragraph, "Config-Version")? {
            Some(version) => Some(Version::new(&version)?),
            None if matches!(package.state, State::Installed | State::TriggersPending) => Some(package.version.clone()),
            None => None,
        };
        package.conffiles = conffiles(paragraph)?;
        let words = |field| -> Result<Vec<String>, PackageError> {
            let words = text(paragraph, field)?.unwrap_or_default();
            Ok(words.split_ascii_whitespace().map(str::to_owned).collect())
        };
        package.triggers_awaited = words("Triggers-Awaited")?;
        // dpkg notes each as it reads it, the newest first.
        package.triggers_pending = words("Triggers-Pending")?;
        package.triggers_pending.reverse();
        Ok(package)
    }

    fn from_paragraph(paragraph: &Paragraph<'_>) -> Result<Self, PackageError> {
        let name = required(paragraph, "Package")?.to_ascii_lowercase();
        if !is_package_name(&name) {
            return Err(bad("Package", name.as_bytes()));
        }
        let architecture = required(paragraph, "Architecture")?;
        if !architecture.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(bad("Architecture", architecture.as_bytes()));
        }
        let multi_arch = match text(paragraph, "Multi-Arch")? {
            None => MultiArch::No,
            Some(word) => {
                let known = MULTI_ARCH.iter().find(|(_, known)| word.eq_ignore_ascii_case(known));
                known.map(|(value, _)| *value).ok_or_else(|| bad("Multi-Arch", word.as_bytes()))?
            }
        };
        if multi_arch == MultiArch::Same && architecture == "all" {
            return Err(bad("Multi-Arch", b"same"));
        }
        let mut relations = BTreeMap::new();
        for kind in Kind::ALL {
            let field = kind.field();
            let groups = relation::parse(kind, &text(paragraph, field)?.unwrap_or_default());
            let groups = groups.map_err(|fault| PackageError::Relation { field, fault })?;
            if !groups.is_empty() {
                relations.insert(kind, groups);
            }
        }
        let boolean = |field: &'static str| match paragraph.get(field) {
            None | Some(b"no" | b"") => Ok(false),
            Some(b"yes") => Ok(true),
            Some(other) => Err(bad(field, other)),
        };
        Ok(Self {
            name,
            want: Want::Unknown,
            flag: Flag::Ok,
            state: State::NotInstalled,
            essential: boolean("Essential")?,
            protected: boolean("Protected")?,
            texts: texts(paragraph),
            architecture,
            multi_arch,
            version: Version::new(&required(paragraph, "Version")?)?,
            config_version: None,
            relations,
            conffiles: Vec::new(),
            triggers_pending: Vec::new(),
            triggers_awaited: Vec::new(),
            others: others(paragraph)?,
        })
    }

    /// A field of plain text by its canonical name.
    pub fn text(&self, field: &str) -> Option<&[u8]> {
        self.texts.get(field).map(Vec::as_slice)
    }

    pub fn relations(&self, kind: Kind) -> &[Group] {
        self.relations.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The paragraph of the status file.
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            // The one field whose header dpkg writes without a blank at its end.
            out.extend_from_slice(if name == "Conffiles" { b":" } else { b": " });
            out.extend_from_slice(value);
            out.push(b'\n');
        };
        self.fields(&mut |name, value| put(name, value));
        out
    }

    /// Every field as dpkg writes it, in its order.
    pub fn fields(&self, put: &mut dyn FnMut(&str, &[u8])) {
        let mut some = |name: &str, value: Option<&[u8]>| {
            if let Some(value) = value {
                put(name, value);
            }
        };
        some("Package", Some(self.name.as_bytes()));
        some("Essential", self.essential.then_some(b"yes"));
        some("Protected", self.protected.then_some(b"yes"));
        some("Status", Some(format!("{} {} {}", self.want, self.flag, self.state).as_bytes()));
        for field in ["Priority", "Section", "Installed-Size", "Origin", "Maintainer", "Bugs"] {
            some(field, self.text(field));
        }
        some("Architecture", Some(self.architecture.as_bytes()));
        let (_, multi_arch) =
            MULTI_ARCH.iter().find(|(known, _)| *known == self.multi_arch).expect("the table has every variant");
        some("Multi-Arch", (self.multi_arch != MultiArch::No).then_some(multi_arch.as_bytes()));
        some("Source", self.text("Source"));
        some("Version", Some(render_version(&self.version).as_bytes()));
        let config_version = self
            .config_version
            .as_ref()
            .filter(|_| !matches!(self.state, State::Installed | State::NotInstalled | State::TriggersPending));
        some("Config-Version", config_version.map(render_version).as_ref().map(String::as_bytes));
        for kind in Kind::ALL {
            let groups = self.relations(kind);
            some(kind.field(), (!groups.is_empty()).then(|| relation::render(groups)).as_ref().map(String::as_bytes));
        }
        if !self.conffiles.is_empty() {
            some("Conffiles", Some(&self.render_conffiles()));
        }
        some("Description", self.text("Description"));
        let list = |words: &[String]| (!words.is_empty()).then(|| words.join(" "));
        some("Triggers-Pending", list(&self.triggers_pending).as_ref().map(String::as_bytes));
        some("Triggers-Awaited", list(&self.triggers_awaited).as_ref().map(String::as_bytes));
        for (name, value) in &self.others {
            some(&String::from_utf8_lossy(name), Some(value));
        }
    }

    /// The lines of the `Conffiles` field, each after a line break.
    pub fn render_conffiles(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for conffile in &self.conffiles {
            out.extend_from_slice(b"\n ");
            out.extend_from_slice(&conffile.path);
            out.push(b' ');
            out.extend_from_slice(conffile.md5.as_bytes());
            if conffile.obsolete {
                out.extend_from_slice(b" obsolete");
            }
            if conffile.remove_on_upgrade {
                out.extend_from_slice(b" remove-on-upgrade");
            }
        }
        out
    }
}

fn bad(field: &'static str, value: &[u8]) -> PackageError {
    PackageError::Value { field, value: value[..value.len().min(80)].to_vec() }
}

/// A field's value as text; empty ones count as absent.
fn text(paragraph: &Paragraph<'_>, field: &'static str) -> Result<Option<String>, PackageError> {
    let Some(value) = paragraph.get(field) else { return Ok(None) };
    let text = std::str::from_utf8(value).map_err(|_| bad(field, value))?.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn required(paragraph: &Paragraph<'_>, field: &'static str) -> Result<String, PackageError> {
    text(paragraph, field)?.ok_or(PackageError::Missing(field))
}

fn texts(paragraph: &Paragraph<'_>) -> BTreeMap<&'static str, Vec<u8>> {
    let mut texts = BTreeMap::new();
    for field in TEXTS {
        let Some(value) = paragraph.get(field).filter(|value| !value.is_empty()) else { continue };
        let mut value = value.to_vec();
        if field == "Priority" {
            let known = PRIORITIES.iter().find(|known| value.eq_ignore_ascii_case(known.as_bytes()));
            if known == Some(&"unknown") {
                continue;
            }
            value = known.map_or(value, |known| known.as_bytes().to_vec());
        }
        texts.insert(field, value);
    }
    texts
}

fn others(paragraph: &Paragraph<'_>) -> Result<Vec<Other>, PackageError> {
    const TYPED: [&str; 11] = [
        "Package",
        "Essential",
        "Protected",
        "Status",
        "Architecture",
        "Multi-Arch",
        "Version",
        "Config-Version",
        "Conffiles",
        "Triggers-Pending",
        "Triggers-Awaited",
    ];
    let known = |name: &[u8], table: &[&str]| table.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    let relations = Kind::ALL.map(Kind::field);
    let mut others = Vec::new();
    for field in &paragraph.fields {
        if known(field.name, &OBSOLETE) {
            return Err(PackageError::Obsolete(String::from_utf8_lossy(field.name).into_owned()));
        }
        if ![&TYPED[..], &TEXTS, &ARCHIVES, &relations].iter().any(|table| known(field.name, table)) {
            others.push((field.name.to_vec(), field.value.to_vec()));
        }
    }
    Ok(others)
}

fn conffiles(paragraph: &Paragraph<'_>) -> Result<Vec<Conffile>, PackageError> {
    let Some(value) = paragraph.get("Conffiles") else { return Ok(Vec::new()) };
    let lines = value.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.map(|line| conffile(line).ok_or_else(|| bad("Conffiles", line))).collect()
}

/// `PATH MD5 [obsolete] [remove-on-upgrade]`; the path may hold blanks.
fn conffile(line: &[u8]) -> Option<Conffile> {
    let (line, remove_on_upgrade) = flag(line, b" remove-on-upgrade");
    let (line, obsolete) = flag(line, b" obsolete");
    let blank = line.iter().rposition(|&b| b == b' ').filter(|&blank| blank > 0)?;
    let md5 = String::from_utf8(line[blank + 1..].to_vec()).ok()?;
    Some(Conffile { path: line[..blank].to_vec(), md5, obsolete, remove_on_upgrade })
}

fn flag<'a>(line: &'a [u8], flag: &[u8]) -> (&'a [u8], bool) {
    line.strip_suffix(flag).map_or((line, false), |rest| (rest, true))
}
