//! What happened to a name, in as few lines as tell it.

use crate::{
    cause::{self, Cause},
    tree::{
        TreePath,
        history::{Deed, Done},
        journal::{Altered, Journal},
    },
};

/// What one program, or one stage, did to a name in one go.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// `made`, `replaced`, `written`, `moved`, `linked`, `kept`, `removed`, or the metadata that was changed.
    pub deed: String,
    /// The other name that has to do with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<Other>,
    /// Who did it, for people.
    pub by: String,
    /// Who did it, outermost first.
    pub causes: Vec<Cause>,
}

/// Another name that a deed has to do with.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Other {
    /// `as`, `from`, `to`; `with` for a folder that the name lies in.
    pub how: &'static str,
    pub path: String,
}

/// The deeds of each who comes in a row are one line.
pub(super) fn lines(done: &[Done], journal: &Journal) -> Vec<Line> {
    let done = without_layout(done, journal);
    let mut there = false;
    let mut lines: Vec<Line> = Vec::new();
    for group in done.chunk_by(|a, b| a.chain == b.chain) {
        let (deed, other) = sum(group, &mut there);
        let causes = journal.chain(group[0].chain);
        let other = other.map(|(how, path)| Other { how, path: path.to_string() });
        add(&mut lines, Line { deed, other, by: cause::show(&causes), causes });
    }
    lines
}

/// Adds a line, or makes it one with the last: a script's line opens a file, and its command writes into it.
fn add(lines: &mut Vec<Line>, line: Line) {
    let Some(last) = lines.last_mut() else { return lines.push(line) };
    if (&last.deed, &last.other, &last.by) == (&line.deed, &line.other, &line.by) {
        return;
    }
    let opened = matches!(last.deed.as_str(), "made" | "replaced" | "written");
    if opened && line.deed == "written" && line.causes.starts_with(&last.causes) {
        (last.by, last.causes) = (line.by, line.causes);
        return;
    }
    lines.push(line);
}

/// What a bootstrap laid out doesn't count once dpkg has unpacked the same name.
fn without_layout(done: &[Done], journal: &Journal) -> Vec<Done> {
    let first = |done: &Done| journal.chain(done.chain).into_iter().next();
    let unpacked = done.iter().rposition(|done| matches!(first(done), Some(Cause::Unpack { .. }))).unwrap_or(0);
    let laid_out = |done: &Done| matches!(first(done), Some(Cause::LayOut { .. }));
    let kept = done.iter().enumerate().filter(|(index, done)| !(*index < unpacked && laid_out(done)));
    kept.map(|(_, done)| done.clone()).collect()
}

/// What a group of deeds comes to; `there` says whether the name is taken, before and after.
fn sum(group: &[Done], there: &mut bool) -> (String, Option<(&'static str, TreePath)>) {
    let before = *there;
    let (mut made, mut written, mut altered, mut kept) = (false, false, Altered::default(), false);
    let (mut made_as, mut came, mut went) = (None, None, None);
    for Done { deed, .. } in group {
        match deed {
            Deed::Made { elsewhere: Some(path) } => (made, made_as) = (true, Some(path.clone())),
            Deed::Made { elsewhere: None } => (made, *there) = (true, true),
            Deed::Linked { to } => {
                *there = true;
                came = to.clone().map(|path| ("linked", "to", path));
            }
            Deed::Moved { from } => {
                *there = true;
                came = Some(("moved", "from", from.clone()));
            }
            Deed::Carried { from } => came = Some(("moved", "with", from.clone())),
            Deed::MovedAway { to } => (*there, went) = (false, Some(to.clone())),
            Deed::Removed => *there = false,
            Deed::Written => written = true,
            Deed::Altered(what) => altered = altered.and(*what),
            Deed::Kept => kept = true,
        }
    }
    let plain = |deed: &str| (deed.to_owned(), None);
    match (before, *there) {
        (_, false) if went.is_some() => ("moved".to_owned(), went.map(|path| ("to", path))),
        (true, false) => plain("removed"),
        _ => match (came, made_as) {
            // A temporary file that is moved into place is a way of writing.
            (Some(("moved", ..)), Some(_)) => plain(if before { "replaced" } else { "made" }),
            (Some((deed, word, path)), _) => (deed.to_owned(), Some((word, path))),
            (None, Some(path)) => ("made".to_owned(), Some(("as", path))),
            (None, None) if made && !before => plain(if *there { "made" } else { "made and removed" }),
            (None, None) if made => plain("replaced"),
            (None, None) if written => plain("written"),
            (None, None) if kept => plain("kept"),
            (None, None) => (metadata(altered), None),
        },
    }
}

fn metadata(what: Altered) -> String {
    let parts = [(what.mode, "mode"), (what.owner, "owner"), (what.xattrs, "attributes")];
    let parts: Vec<&str> = parts.iter().filter(|(changed, _)| *changed).map(|(_, name)| *name).collect();
    // A time alone is what `touch` gives.
    if parts.is_empty() { "time".to_owned() } else { parts.join("+") }
}
