//! The text of a Release file to what it says about a suite: identity, dates, and the digests of its index files.
//!
//! Format: wiki.debian.org/DebianRepository/Format. SHA-256 alone is read; MD5 and SHA-1 prove nothing.

use std::collections::BTreeMap;

use super::control::{self, Comments, Field, Paragraph};
use crate::{
    date::{BadDate, Instant},
    digest::Sha256,
};

/// A suite as its archive describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub origin: Option<String>,
    pub label: Option<String>,
    pub suite: Option<String>,
    pub codename: Option<String>,
    pub version: Option<String>,
    pub date: Instant,
    pub valid_until: Option<Instant>,
    /// Index files can be had under their digest too, so that an update of the mirror disturbs nobody.
    pub acquire_by_hash: bool,
    /// Packages are taken only when asked for by suite (pin 1, or 100 with `but_automatic_upgrades`).
    pub not_automatic: bool,
    pub but_automatic_upgrades: bool,
    pub architectures: Vec<String>,
    pub components: Vec<String>,
    /// `No-Support-for-Architecture-all: Packages`: each architecture's index holds the packages of `all` too.
    pub indexes_hold_all: bool,
    /// By path below the suite's folder.
    pub files: BTreeMap<String, Entry>,
}

/// A file that the Release file vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
}

/// Why a text is no Release file. Lines count from 1 in the signed text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Control(#[from] control::Error),
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    #[error("line {line}: {name}: {source}")]
    Date { line: usize, name: &'static str, source: BadDate },
    #[error("line {line}: {name}: expected `yes` or `no`, found `{found}`")]
    Flag { line: usize, name: &'static str, found: String },
    #[error("line {line}: expected a sha256, a size and a path, found `{found}`")]
    Entry { line: usize, found: String },
    #[error("line {line}: the path `{path}` leads out of the suite")]
    Path { line: usize, path: String },
    #[error("line {line}: `{path}` is listed before with another size or digest")]
    Contradiction { line: usize, path: String },
}

/// Reads the signed text of InRelease or Release.
pub fn parse(text: &str) -> Result<Release, ReleaseError> {
    let paragraph = control::paragraph(text.as_bytes(), Comments::Refuse)?;
    let text = |name: &str| paragraph.get(name).map(lossy);
    let words = |name: &str| -> Vec<String> {
        text(name).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
    };
    let sums = paragraph.field("SHA256").ok_or(ReleaseError::Missing("SHA256"))?;
    Ok(Release {
        origin: text("Origin"),
        label: text("Label"),
        suite: text("Suite"),
        codename: text("Codename"),
        version: text("Version"),
        date: date(&paragraph, "Date")?.ok_or(ReleaseError::Missing("Date"))?,
        valid_until: date(&paragraph, "Valid-Until")?,
        acquire_by_hash: flag(&paragraph, "Acquire-By-Hash")?,
        not_automatic: flag(&paragraph, "NotAutomatic")?,
        but_automatic_upgrades: flag(&paragraph, "ButAutomaticUpgrades")?,
        architectures: words("Architectures"),
        components: words("Components"),
        indexes_hold_all: words("No-Support-for-Architecture-all").iter().any(|word| word == "Packages"),
        files: entries(sums)?,
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn date(paragraph: &Paragraph<'_>, name: &'static str) -> Result<Option<Instant>, ReleaseError> {
    let Some(field) = paragraph.field(name) else { return Ok(None) };
    let date = Instant::from_rfc2822(&lossy(field.value));
    date.map(Some).map_err(|source| ReleaseError::Date { line: field.line, name, source })
}

fn flag(paragraph: &Paragraph<'_>, name: &'static str) -> Result<bool, ReleaseError> {
    let Some(field) = paragraph.field(name) else { return Ok(false) };
    match field.value {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        other => Err(ReleaseError::Flag { line: field.line, name, found: lossy(&other[..other.len().min(40)]) }),
    }
}

fn entries(sums: &Field<'_>) -> Result<BTreeMap<String, Entry>, ReleaseError> {
    let mut files = BTreeMap::new();
    for (index, line) in sums.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let number = sums.line + index;
        let text = lossy(line);
        let (path, entry) = entry(&text)
            .ok_or_else(|| ReleaseError::Entry { line: number, found: text.chars().take(120).collect() })?;
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(ReleaseError::Path { line: number, path: path.to_owned() });
        }
        if files.insert(path.to_owned(), entry).is_some_and(|before| before != entry) {
            return Err(ReleaseError::Contradiction { line: number, path: path.to_owned() });
        }
    }
    Ok(files)
}

fn entry(line: &str) -> Option<(&str, Entry)> {
    let mut words = line.split_ascii_whitespace();
    let (sha256, size, path) = (words.next()?, words.next()?, words.next()?);
    let is_number = size.bytes().all(|byte| byte.is_ascii_digit());
    let entry = Entry { size: size.parse().ok().filter(|_| is_number)?, sha256: sha256.parse().ok()? };
    (words.next().is_none() && !path.chars().any(char::is_control)).then_some((path, entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn sample() -> String {
        format!(
            "Origin: Debian\nLabel: Debian\nSuite: oldstable-backports\nCodename: bookworm-backports\nVersion: 12\n\
             Date: Sat, 11 Jul 2026 10:16:37 UTC\nValid-Until: Sat, 18 Jul 2026 10:16:37 UTC\nNotAutomatic: yes\n\
             ButAutomaticUpgrades: yes\nAcquire-By-Hash: yes\nNo-Support-for-Architecture-all: Packages\n\
             Architectures: all amd64\nComponents: main contrib\nMD5Sum:\n 0 1 x\n\
             SHA256:\n {SUM} 3 main/binary-amd64/Packages\n {SUM}        3 main/binary-amd64/Packages.xz\n"
        )
    }

    #[test]
    fn reads_a_release_file() {
        let release = parse(&sample()).expect("a Release file");
        let date = Instant::from_compact("20260711T101637Z").expect("a date");
        let entry = Entry { size: 3, sha256: SUM.parse().expect("a digest") };
        let file = |name: &str| (format!("main/binary-amd64/{name}"), entry);
        assert_eq!(
            release,
            Release {
                origin: Some("Debian".into()),
                label: Some("Debian".into()),
                suite: Some("oldstable-backports".into()),
                codename: Some("bookworm-backports".into()),
                version: Some("12".into()),
                date,
                valid_until: Some(date.plus(7 * 86_400)),
                acquire_by_hash: true,
                not_automatic: true,
                but_automatic_upgrades: true,
                architectures: vec!["all".into(), "amd64".into()],
                components: vec!["main".into(), "contrib".into()],
                indexes_hold_all: true,
                files: BTreeMap::from([file("Packages"), file("Packages.xz")]),
            }
        );
    }

    #[test]
    fn refuses_what_is_doubtful() {
        let check = |from: &str, to: &str, expect: &str| {
            let error = parse(&sample().replacen(from, to, 1)).expect_err("refused");
            assert_eq!(error.to_string(), expect);
        };
        check("Date: Sat, 11 Jul 2026 10:16:37 UTC\n", "", "field `Date` is missing");
        check("SHA256:", "SHA512:", "field `SHA256` is missing");
        check("Label: ", "Suite: ", "line 3: field `Suite` is given twice, first on line 2");
        check("SHA256:\n", "\nSHA256:\n", "line 17: expected one paragraph, found 2");
        check("NotAutomatic: yes", "NotAutomatic: true", "line 8: NotAutomatic: expected `yes` or `no`, found `true`");
        check(
            "Date: Sat",
            "Date: Sun",
            "line 6: Date: expected a date like `Sat, 11 Jul 2026 10:16:37 UTC`, found `Sun, 11 Jul 2026 10:16:37 UTC`",
        );
        check("/Packages.xz", "/../../x", "line 18: the path `main/binary-amd64/../../x` leads out of the suite");
        check("main/binary-amd64/P", "/main/P", "line 17: the path `/main/Packages` leads out of the suite");
        check(
            "       3 main/binary-amd64/Packages.xz",
            "4 main/binary-amd64/Packages",
            "line 18: `main/binary-amd64/Packages` is listed before with another size or digest",
        );
        let bad = |line: &str| format!("line 17: expected a sha256, a size and a path, found `{line}`");
        for line in [
            format!("{SUM} 3"),
            format!("{SUM} +3 x"),
            format!("{SUM} 99999999999999999999 x"),
            format!("{SUM} 3 x y"),
            format!("{} 3 x", &SUM[1..]),
        ] {
            check(&format!("{SUM} 3 main/binary-amd64/Packages"), &line, &bad(&line));
        }
    }
}
