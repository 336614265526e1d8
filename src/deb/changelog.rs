//! Debian changelogs, deb-changelog(5): what each version changed, how urgent it was, and which vulnerabilities it names.

use std::collections::BTreeSet;

/// What a version brought.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    pub source: String,
    pub version: String,
    pub distributions: String,
    /// In lower case; empty when the entry has none.
    pub urgency: String,
    /// The changes, their indentation cut to that of the least indented line.
    pub changes: String,
    /// Identifiers of vulnerabilities, sorted: `CVE-2024-12345`.
    pub vulnerabilities: BTreeSet<String>,
}

/// The entries of a changelog, newest first. What follows the last entry of this form is left out: old changelogs end in other
/// forms, and editors leave their settings there.
pub fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let Some(mut entry) = heading(line) else { break };
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with(" -- ") && heading(line).is_none()) {
            body.push(line.trim_end());
        }
        // The line of maintainer and date.
        lines.next_if(|line| line.starts_with(" -- "));
        entry.changes = block(&body);
        entry.vulnerabilities = vulnerabilities(&entry.changes);
        entries.push(entry);
    }
    entries
}

/// What `new` has that `old` has not yet: entries down to the first whose version the old changelog knows. `None` when none of
/// the new one's is known, so that nothing can be said.
pub fn since(new: &[Entry], old: &[Entry]) -> Option<Vec<Entry>> {
    let known: BTreeSet<&str> = old.iter().map(|entry| entry.version.as_str()).collect();
    let end = new.iter().position(|entry| known.contains(entry.version.as_str()))?;
    Some(new[..end].to_vec())
}

/// `source (version) distribution...; urgency=low, binary-only=yes`.
fn heading(line: &str) -> Option<Entry> {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (source, rest) = line.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    let (distributions, fields) = rest.split_once(';')?;
    if !is_name(source) || version.is_empty() || version.contains(char::is_whitespace) {
        return None;
    }
    let urgency = fields.split(',').find_map(|field| {
        let (key, value) = field.split_once('=')?;
        key.trim().eq_ignore_ascii_case("urgency").then(|| value.trim().to_lowercase())
    });
    Some(Entry {
        source: source.to_owned(),
        version: version.to_owned(),
        distributions: distributions.split_whitespace().collect::<Vec<_>>().join(" "),
        urgency: urgency.unwrap_or_default(),
        changes: String::new(),
        vulnerabilities: BTreeSet::new(),
    })
}

/// Lines without empty ones at both ends and without what all are indented by.
fn block(lines: &[&str]) -> String {
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    let lines = &lines[first..end];
    let indent = |line: &&&str| line.len() - line.trim_start_matches(' ').len();
    let least = lines.iter().filter(|line| !line.is_empty()).map(|line| indent(&line)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(least..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every `CVE-` with a year and at least four digits.
fn vulnerabilities(text: &str) -> BTreeSet<String> {
    const PREFIX: &str = "CVE-";
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(PREFIX) {
        let rest = &text[at + PREFIX.len()..];
        let Some(number) = rest.get(4..).and_then(|rest| rest.strip_prefix('-')) else { continue };
        let length = digits(number);
        if digits(rest) == 4 && length >= 4 {
            found.insert(text[at..at + PREFIX.len() + 5 + length].to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
openssl (3.0.16-1~deb12u1) bookworm-security; urgency=HIGH, binary-only=yes

  * Fix CVE-2024-13176 (Timing side-channel) and CVE-2024-9143.
    - more of it, CVE-20245-1 is none
  [ A. Person ]

 -- A. Person <a@example.org>  Mon, 10 Feb 2025 20:00:00 +0100

openssl (3.0.15-1) bookworm; urgency=medium

  * New upstream release.

 -- A. Person <a@example.org>  Mon, 02 Sep 2024 20:00:00 +0200
openssl (3.0.14-1) unstable experimental; urgency=low
  * No empty lines here.
 -- A. Person <a@example.org>  Mon, 02 Jun 2024 20:00:00 +0200

Old changelog follows
  * of another form (1.0) x; urgency=low
";

    #[test]
    fn reads_entries() {
        let entries = entries(TEXT);
        let shown: Vec<_> = entries
            .iter()
            .map(|e| (e.version.as_str(), e.distributions.as_str(), e.urgency.as_str(), e.vulnerabilities.len()))
            .collect();
        let expect = [
            ("3.0.16-1~deb12u1", "bookworm-security", "high", 2),
            ("3.0.15-1", "bookworm", "medium", 0),
            ("3.0.14-1", "unstable experimental", "low", 0),
        ];
        assert_eq!(shown, expect);
        assert_eq!(
            entries[0].changes,
            "* Fix CVE-2024-13176 (Timing side-channel) and CVE-2024-9143.\n  - more of it, CVE-20245-1 is none\n[ A. Person ]"
        );
        assert_eq!(entries[2].changes, "* No empty lines here.");
    }

    #[test]
    fn says_what_is_new() {
        let all = entries(TEXT);
        let versions =
            |old: &[Entry]| since(&all, old).map(|new| new.into_iter().map(|entry| entry.version).collect::<Vec<_>>());
        assert_eq!(versions(&all[1..]).expect("known"), ["3.0.16-1~deb12u1"]);
        assert_eq!(versions(&all[2..]).expect("known"), ["3.0.16-1~deb12u1", "3.0.15-1"]);
        assert_eq!(versions(&all).expect("known"), [] as [&str; 0]);
        assert_eq!(versions(&[]), None);
    }
}
