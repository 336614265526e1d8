//! Reviews as the text of a pull request, in GitHub's Markdown.
//!
//! Names, versions and changelogs are other people's text. All of it stands in code spans and fences, where GitHub knows neither
//! HTML nor `@name` nor `#1`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
};

use super::{Before, Changelog, Lines, Package, Review};
use crate::{deb::changelog::Entry, lock::delta::Kind, manifest::size::Bytes};

/// Bytes of the whole text: GitHub takes 65,536 characters.
const LIMIT: usize = 60_000;
/// Bytes of all before the changelogs.
const HEAD: usize = 40_000;
/// Bytes of one changelog entry.
const ENTRY: usize = 4_000;
/// Characters of one name, version or line.
const WORD: usize = 200;
/// Vulnerabilities that are named together.
const NAMED: usize = 12;
/// Bytes kept for the sentence that says what is left out.
const RESERVE: usize = 300;

const MORE: &str = "`icos diff --format json` has all of it.";

/// The text of a pull request. It is never too long for one: what does not fit is counted.
pub fn render(reviews: &[&Review]) -> String {
    let mut out = String::new();
    head(&mut out, reviews).expect("a string takes everything");
    let (shown, left) = cut(&out, HEAD);
    let mut out = shown.to_owned();
    if left > 0 {
        write!(out, "\n{left} lines are left out here; {MORE}\n").expect("a string takes everything");
    }
    changelogs(&mut out, reviews);
    out
}

/// The text up to the line that would exceed `limit` bytes, and how many lines are left.
fn cut(text: &str, limit: usize) -> (&str, usize) {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if end + line.len() > limit {
            break;
        }
        end += line.len();
    }
    (&text[..end], text[end..].lines().count())
}

fn head(out: &mut String, reviews: &[&Review]) -> fmt::Result {
    let mut packages_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, packages) in reviews.iter().flat_map(|review| &review.vulnerabilities) {
        packages_of.entry(name).or_default().extend(packages.iter().map(String::as_str));
    }
    // A kernel's are hundreds.
    let mut by_packages: BTreeMap<BTreeSet<&str>, Vec<&str>> = BTreeMap::new();
    for (name, packages) in packages_of {
        by_packages.entry(packages).or_default().push(name);
    }
    if !by_packages.is_empty() {
        writeln!(out, "## Vulnerabilities that new changelog entries name\n")?;
        for (packages, names) in by_packages {
            writeln!(out, "- {}: {}", list(packages), some(&names))?;
        }
        writeln!(out)?;
    }
    reviews.iter().try_for_each(|review| target(out, review))
}

fn target(out: &mut String, review: &Review) -> fmt::Result {
    write!(out, "## ")?;
    if let Some(Before { target, base }) = &review.before {
        write!(out, "From {target} on {base} to ")?;
    }
    writeln!(out, "{} on {}\n", review.target, review.base)?;
    if let (Some(from), Some(to)) = (&review.from, &review.to)
        && from != to
    {
        write!(out, "Snapshot {from} to {to}")?;
        match &review.held {
            Some(held) => writeln!(out, ", all but a few packages held at {held}.\n")?,
            None => writeln!(out, ".\n")?,
        }
    }
    if review.is_empty() {
        return writeln!(out, "Nothing changes.\n");
    }
    summary(out, review)?;
    let sections = [
        ("Kernels", &review.kernels, false),
        ("Files with setuid, setgid or capabilities", &review.privileged, true),
        ("Units", &review.units, false),
        ("Users", &review.users, true),
        ("Groups", &review.groups, true),
        ("Maintainer scripts that icos cannot run", &review.scripts, false),
    ];
    for (title, lines, with_values) in sections {
        section(out, title, lines, with_values)?;
    }
    for kind in Kind::ALL {
        table(out, review, kind)?;
    }
    Ok(())
}

fn summary(out: &mut String, review: &Review) -> fmt::Result {
    let count = |kind: Kind| review.packages.iter().filter(|package| package.change == kind).count();
    let counts = Kind::ALL.into_iter().map(|kind| (count(kind), kind)).filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, kind)| format!("{count} {}", kind.word())).collect();
    if counts.is_empty() {
        return writeln!(out, "No package changes.\n");
    }
    let (download, installed) = (signed(review.download), signed(review.installed));
    writeln!(out, "Packages: {}. Download {download}, installed {installed}.\n", counts.join(", "))
}

/// `+1.2 MiB`, `-3 B` or `±0`.
fn signed(bytes: i64) -> String {
    let size = Bytes(bytes.unsigned_abs());
    match bytes.signum() {
        1 => format!("+{size}"),
        -1 => format!("-{size}"),
        _ => "±0".to_owned(),
    }
}

fn table(out: &mut String, review: &Review, kind: Kind) -> fmt::Result {
    let packages: Vec<&Package> = review.packages.iter().filter(|package| package.change == kind).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let (title, columns) = match kind {
        Kind::Upgraded => ("Upgraded", "from | to | urgency"),
        Kind::Downgraded => ("Downgraded", "from | to | urgency"),
        Kind::Rebuilt => ("Other bytes for the same version", "version"),
        Kind::Added => ("Added", "version | why"),
        Kind::Removed => ("Removed", "version"),
    };
    let cells = columns.matches('|').count() + 1;
    let rule = "---|".repeat(cells);
    writeln!(out, "### {title}\n\n| package | {columns} | download | installed |\n|---|{rule}--:|--:|")?;
    for package in packages {
        let text = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
        let middle = match kind {
            Kind::Added => format!("{} | {}", text(&package.new), text(&package.why)),
            Kind::Removed | Kind::Rebuilt => text(&package.old),
            Kind::Upgraded | Kind::Downgraded => {
                format!("{} | {} | {}", text(&package.old), text(&package.new), cell(urgency(entries(package))))
            }
        };
        let (download, installed) = (signed(package.download), signed(package.installed));
        writeln!(out, "| {} | {middle} | {download} | {installed} |", cell(&package.name))?;
    }
    writeln!(out)
}

fn entries(package: &Package) -> &[Entry] {
    match &package.changelog {
        Changelog::Entries(entries) => entries,
        Changelog::NotAsked | Changelog::Unknown => &[],
    }
}

/// The highest urgency of the entries.
fn urgency(entries: &[Entry]) -> &str {
    const ORDER: [&str; 5] = ["low", "medium", "high", "emergency", "critical"];
    let rank = |urgency: &&str| ORDER.iter().position(|known| urgency.starts_with(known));
    entries.iter().map(|entry| entry.urgency.as_str()).max_by_key(rank).unwrap_or_default()
}

/// Lines with values are of a name and what may change about it.
fn section(out: &mut String, title: &str, lines: &Lines, with_values: bool) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "### {title}\n")?;
    let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let mut old: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    lines.removed.iter().for_each(|line| old.entry(name(line)).or_default().push(line));
    let mut changed = Vec::new();
    for line in &lines.added {
        match old.get_mut(&name(line)).filter(|lines| with_values && !lines.is_empty()) {
            Some(lines) => changed.push((lines.remove(0), line)),
            None => writeln!(out, "- new: {}", code(line))?,
        }
    }
    for line in old.values().flatten() {
        writeln!(out, "- gone: {}", code(line))?;
    }
    for (old, new) in changed {
        writeln!(out, "- changed: {} to {}", code(old), code(new))?;
    }
    writeln!(out)
}

/// Entries with the packages that they are of and the packages' versions: those of one source have the same, in every target.
type Groups<'a> = Vec<(&'a [Entry], BTreeMap<&'a str, (&'a Package, &'a str)>)>;

/// Every changelog once, as long as there is room: with its texts, else with its headings, else counted.
fn changelogs(out: &mut String, reviews: &[&Review]) {
    let mut groups: Groups<'_> = Vec::new();
    let mut unknown = BTreeSet::new();
    for package in reviews.iter().flat_map(|review| &review.packages) {
        if package.changelog == Changelog::Unknown {
            unknown.insert(package.name.as_str());
        }
        let entries = entries(package);
        if entries.is_empty() {
            continue;
        }
        let versions = (package, package.change.word());
        match groups.iter_mut().find(|(known, _)| *known == entries) {
            Some((_, packages)) => _ = packages.insert(&package.name, versions),
            None => groups.push((entries, [(package.name.as_str(), versions)].into())),
        }
    }
    if groups.is_empty() && unknown.is_empty() {
        return;
    }
    out.push_str("## Changelogs\n\n");
    let (shown, left) = fitting(&groups, LIMIT.saturating_sub(out.len() + RESERVE));
    out.push_str(&shown);
    if left > 0 {
        let _ = writeln!(out, "{left} more changelogs are left out here; {MORE}\n");
    }
    if !unknown.is_empty() {
        let text = format!("No changelog leads from the old version to the new one of {}.\n", list(unknown));
        if out.len() + text.len() <= LIMIT {
            out.push_str(&text);
        }
    }
}

/// What fits of all changelogs, and how many do not. As many as possible are shown, and then as many texts: the shortest first.
fn fitting(groups: &Groups<'_>, mut room: usize) -> (String, usize) {
    let pieces = |with_texts| groups.iter().map(move |(entries, packages)| changelog(entries, packages, with_texts));
    let (whole, bare): (Vec<String>, Vec<String>) = (pieces(true).collect(), pieces(false).collect());
    let mut chosen: Vec<Option<&String>> = vec![None; groups.len()];
    for pieces in [&bare, &whole] {
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|at| pieces[*at].len());
        for at in order {
            let now = chosen[at].map_or(0, String::len);
            if pieces[at].len() <= room + now {
                room = room + now - pieces[at].len();
                chosen[at] = Some(&pieces[at]);
            }
        }
    }
    let left = chosen.iter().filter(|piece| piece.is_none()).count();
    (chosen.into_iter().flatten().map(String::as_str).collect(), left)
}

fn changelog(entries: &[Entry], packages: &BTreeMap<&str, (&Package, &str)>, with_texts: bool) -> String {
    let mut out = String::new();
    let names: Vec<String> = packages.keys().map(|name| html(name)).collect();
    let versions = packages.values().next().map(|(package, word)| {
        let version = |version: &Option<String>| html(version.as_deref().unwrap_or_default());
        format!(" {word} from {} to {}", version(&package.old), version(&package.new))
    });
    let found: BTreeSet<&str> = entries.iter().flat_map(|entry| &entry.vulnerabilities).map(String::as_str).collect();
    let found = match found.len() {
        0 => String::new(),
        1 => ", 1 CVE".to_owned(),
        count => format!(", {count} CVEs"),
    };
    let versions = versions.unwrap_or_default();
    out.push_str(&format!("<details><summary>{}{versions}{found}</summary>\n\n", names.join(", ")));
    for entry in entries {
        let (version, suites, urgency) = (code(&entry.version), code(&entry.distributions), code(&entry.urgency));
        out.push_str(&format!("{version} for {suites}, urgency {urgency}"));
        let found: Vec<&str> = entry.vulnerabilities.iter().map(String::as_str).collect();
        if !found.is_empty() {
            out.push_str(&format!(", names {}", some(&found)));
        }
        out.push_str("\n\n");
        if with_texts && !entry.changes.is_empty() {
            let text = inert(&entry.changes);
            let (shown, left) = excerpt(&text);
            let fence = fence(shown);
            out.push_str(&format!("{fence}text\n{}\n{fence}\n\n", shown.trim_end_matches('\n')));
            if left > 0 {
                out.push_str(&format!("{left} lines are left out here; {MORE}\n\n"));
            }
        } else if !entry.changes.is_empty() {
            out.push_str(&format!("Its text is left out here; {MORE}\n\n"));
        }
    }
    out.push_str("</details>\n\n");
    out
}

/// What is shown of an entry's text, and how many lines are left.
fn excerpt(text: &str) -> (&str, usize) {
    match cut(text, ENTRY) {
        // A single line longer than all that is shown.
        ("", left) => (&text[..text.floor_char_boundary(ENTRY)], left),
        shown => shown,
    }
}

/// A fence that does not occur in the text.
fn fence(text: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat((longest + 1).max(3))
}

/// Text without what would not be seen as it is: control characters, and those that turn the direction of others.
fn inert(text: &str) -> String {
    let is_bad = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if is_bad(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// One line of it, not too long.
fn line(text: &str) -> String {
    let text = inert(text).replace(['\n', '\t'], " ");
    match text.char_indices().nth(WORD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Text in a code span, whatever it is.
fn code(text: &str) -> String {
    let text = line(text).replace('`', "'");
    if text.trim().is_empty() { "none".to_owned() } else { format!("`{}`", text.trim()) }
}

/// A code span in a cell of a table, where `\|` alone stands for itself; an empty text is an empty cell.
fn cell(text: &str) -> String {
    if text.is_empty() { String::new() } else { code(text).replace('|', "\\|") }
}

/// Text as code in HTML, where Markdown is not read.
fn html(text: &str) -> String {
    let text = line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<code>{text}</code>")
}

/// Identifiers of vulnerabilities, joined; of very many the first, and how many more there are.
fn some(names: &[&str]) -> String {
    match names.len().checked_sub(NAMED) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

/// Names as code, joined.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_peoples_text_is_inert() {
        assert_eq!(fence("a ``` b ````"), "`````");
        assert_eq!(fence("a"), "```");
        assert_eq!(cell("a`|b"), "`a'\\|b`");
        assert_eq!(code("<b> @x|#1\u{202e}\r\n-"), "`<b> @x|#1\u{fffd}\u{fffd} -`");
        assert_eq!((code(" "), cell("")), ("none".to_owned(), String::new()));
        assert_eq!(code(&"é".repeat(WORD + 1)).chars().count(), WORD + 3);
        assert_eq!(html("<b>&`"), "<code>&lt;b&gt;&amp;`</code>");
        assert_eq!((signed(2048), signed(-1), signed(0)), ("+2.0 KiB".into(), "-1 B".into(), "±0".into()));
    }

    #[test]
    fn cuts_at_lines() {
        assert_eq!(cut("a\nbc\nd\n", 5), ("a\nbc\n", 1));
        assert_eq!(cut("a\nbc", 9), ("a\nbc", 0));
        let long = format!("{}é\nx", "a".repeat(ENTRY - 1));
        assert_eq!(excerpt(&long), (&long[..ENTRY - 1], 2));
    }

    #[test]
    fn names_some_of_many() {
        let names: Vec<String> = (0..NAMED + 2).map(|n| format!("CVE-2024-{n:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(some(&names[..2]), "CVE-2024-0000, CVE-2024-0001");
        assert!(some(&names[..NAMED]).ends_with("CVE-2024-0011"));
        assert!(some(&names).ends_with("CVE-2024-0011 and 2 more"));
    }

    fn review(packages: Vec<Package>, lines: usize) -> Review {
        let units = Lines {
            added: (0..lines).map(|n| format!("/usr/lib/systemd/system/{n}.service")).collect(),
            removed: vec![],
        };
        let none = Lines::default;
        Review {
            target: "os/dev".to_owned(),
            base: "b".to_owned(),
            before: None,
            from: None,
            to: None,
            held: None,
            packages,
            vulnerabilities: BTreeMap::new(),
            download: 0,
            installed: 0,
            kernels: none(),
            privileged: none(),
            units,
            users: none(),
            groups: none(),
            scripts: none(),
        }
    }

    fn package(name: &str, changes: &str, count: usize) -> Package {
        let entry = |n: usize| Entry {
            source: name.to_owned(),
            version: format!("2.{n}"),
            distributions: "x".to_owned(),
            urgency: "low".to_owned(),
            changes: changes.to_owned(),
            vulnerabilities: BTreeSet::new(),
        };
        Package {
            name: name.to_owned(),
            architecture: "amd64".to_owned(),
            change: Kind::Upgraded,
            old: Some("1".to_owned()),
            new: Some("2".to_owned()),
            download: 0,
            installed: 0,
            why: None,
            changelog: Changelog::Entries((0..count).map(entry).collect()),
        }
    }

    #[test]
    fn fits_into_a_pull_request() {
        let check = |packages: Vec<Package>, lines: usize, expect: &[&str]| {
            let review = review(packages, lines);
            let text = render(&[&review, &review]);
            assert!(text.len() <= LIMIT, "{}", text.len());
            assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
            assert!(text.ends_with('\n'));
            for part in expect {
                assert!(text.contains(part), "{part}: {text}");
            }
        };
        let many = |count: usize, changes: &str| (0..count).map(|n| package(&format!("p{n}"), changes, 1)).collect();
        check(vec![], 2000, &[" lines are left out here; "]);
        check(vec![package("a", "x", 5000)], 0, &["1 more changelogs are left out here"]);
        check(vec![package("a", &"x\n".repeat(5000), 1)], 0, &["\n3000 lines are left out here"]);
        check(vec![package("a", &"x".repeat(70_000), 1)], 0, &["\n1 lines are left out here"]);
        check(many(40, &"y\n".repeat(1500)), 0, &["Its text is left out here", "<code>p39</code>"]);
        // A long one does not take the room of short ones.
        let mut mixed: Vec<Package> = many(25, &"y\n".repeat(1900));
        mixed.push(package("z", "the short one", 1));
        check(mixed, 0, &["the short one", "<code>p24</code>"]);
        check(many(2000, "z"), 2000, &["more changelogs are left out here"]);
    }

    #[test]
    fn what_changes_of_a_name() {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let both = Lines { added: lines(&["a 1", "b 2"]), removed: lines(&["a 0", "c 1"]) };
        let shown = |with_values| {
            let mut out = String::new();
            section(&mut out, "T", &both, with_values).expect("a string takes everything");
            out
        };
        assert_eq!(shown(true), "### T\n\n- new: `b 2`\n- gone: `c 1`\n- changed: `a 0` to `a 1`\n\n");
        assert_eq!(shown(false), "### T\n\n- new: `a 1`\n- new: `b 2`\n- gone: `a 0`\n- gone: `c 1`\n\n");
    }

    /// Packages of one source have one changelog, which is shown once, also when several targets have them.
    #[test]
    fn says_everything_once() {
        let other = Package { name: "b".to_owned(), ..package("a", "x", 1) };
        let review = review(vec![package("a", "x", 1), other], 0);
        let text = render(&[&review, &review]);
        assert_eq!(text.matches("<details>").count(), 1);
        let expect = "<summary><code>a</code>, <code>b</code> upgraded from <code>1</code> to <code>2</code></summary>";
        assert!(text.contains(expect), "{text}");
    }
}
