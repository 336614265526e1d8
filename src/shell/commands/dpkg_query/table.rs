//! The table of `dpkg-query --list`, as wide as what it shows.

use super::Entry;
use crate::dpkg::{
    database::{Database, Qualified},
    package::Package,
    relation::render_version,
    state::{Flag, State, Want},
};

struct Row {
    flags: String,
    cells: [String; 4],
}

pub(super) fn render(database: &Database, entries: &[Entry]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let rows: Vec<Row> = entries.iter().map(|entry| row(database, entry)).collect();
    let mut widths = [14, 12, 12, 33];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = "Desired=Unknown/Install/Remove/Purge/Hold\n\
                   | Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n\
                   |/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n"
        .to_owned();
    let header = ["Name", "Version", "Architecture", "Description"].map(str::to_owned);
    line(&mut out, &Row { flags: "||/".to_owned(), cells: header }, widths);
    let rules = widths.map(|width| "=".repeat(width));
    out.push_str(&format!("+++-{}\n", rules.join("-")));
    for row in &rows {
        line(&mut out, row, widths);
    }
    out
}

fn line(out: &mut String, row: &Row, widths: [usize; 4]) {
    let [name, version, architecture, description] = &row.cells;
    let [n, v, a, _] = widths;
    out.push_str(&format!("{} {name:<n$} {version:<v$} {architecture:<a$} {description}\n", row.flags));
}

fn row(database: &Database, entry: &Entry) -> Row {
    let none = || "<none>".to_owned();
    let id = match entry {
        Entry::Package(id) => *id,
        Entry::Mentioned(name) => {
            return Row { flags: "un ".to_owned(), cells: [name.clone(), none(), none(), NO_DESCRIPTION.to_owned()] };
        }
    };
    let package = database.get(id);
    Row {
        flags: flags(package),
        cells: [
            database.name(id, Qualified::IfAmbiguous),
            render_version(&package.version),
            package.architecture.clone(),
            synopsis(package),
        ],
    }
}

/// What is wanted, how far the package has come and whether it must be installed again, a letter each.
pub(super) fn flags(package: &Package) -> String {
    let want = match package.want {
        Want::Unknown => 'u',
        Want::Install => 'i',
        Want::Hold => 'h',
        Want::Deinstall => 'r',
        Want::Purge => 'p',
    };
    let state = match package.state {
        State::NotInstalled => 'n',
        State::ConfigFiles => 'c',
        State::HalfInstalled => 'H',
        State::Unpacked => 'U',
        State::HalfConfigured => 'F',
        State::TriggersAwaited => 'W',
        State::TriggersPending => 't',
        State::Installed => 'i',
    };
    let flag = if package.flag == Flag::Ok { ' ' } else { 'R' };
    [want, state, flag].iter().collect()
}

const NO_DESCRIPTION: &str = "(no description available)";

/// The first line of the description.
pub(super) fn synopsis(package: &Package) -> String {
    let text = package.text("Description").unwrap_or_default();
    String::from_utf8_lossy(text.split(|&b| b == b'\n').next().unwrap_or_default()).into_owned()
}
