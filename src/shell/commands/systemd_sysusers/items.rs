//! Lines of `sysusers.d`: `u`, `g`, `m` and `r`.

use crate::shell::{
    Fatal, Process,
    accounts::number,
    specifiers::{Expanded, columns, expand},
    stop::show,
};

/// A user or group to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub name: Vec<u8>,
    pub user: bool,
    /// Name of the primary group.
    pub group: Option<Vec<u8>>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// A file whose owner gives the number.
    pub path: Option<Vec<u8>>,
    /// The group was given and must exist.
    pub strict: bool,
    pub comment: Vec<u8>,
    pub home: Option<Vec<u8>>,
    pub shell: Option<Vec<u8>>,
    /// What is still to be written.
    pub new_user: bool,
    pub new_group: bool,
}

/// Everything that the configuration asks for, in its order.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub users: Vec<Item>,
    pub groups: Vec<Item>,
    /// Users to be members, by group, in the order in which the groups came up.
    pub members: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// Ranges of numbers to use instead of the system's.
    pub ranges: Vec<(u32, u32)>,
}

fn is_valid_name(name: &[u8]) -> bool {
    let first = name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    first && name.len() <= 31 && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b))
}

/// A fault of a line, for the message.
type Fault = String;

impl Items {
    /// Reads a file; whether all its lines were sound.
    pub(super) fn read(&mut self, process: &mut Process<'_>, path: &[u8], text: &[u8]) -> Result<bool, Fatal> {
        let mut sound = true;
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if !line.is_empty() && line[0] != b'#' {
                sound &= self.read_line(process, path, index + 1, line)?;
            }
        }
        Ok(sound)
    }

    pub(super) fn read_line(
        &mut self,
        process: &mut Process<'_>,
        path: &[u8],
        index: usize,
        line: &[u8],
    ) -> Result<bool, Fatal> {
        let outcome = self.parse(process, line)?;
        if let Err(fault) | Ok(Some(fault)) = &outcome {
            process.write(2, format!("{}:{index}: {fault}\n", show(path)).as_bytes())?;
        }
        Ok(outcome.is_ok())
    }

    /// A fault, or a remark on a line that is left out without being one.
    fn parse(&mut self, process: &Process<'_>, line: &[u8]) -> Result<Result<Option<Fault>, Fault>, Fatal> {
        let Ok((words, rest)) = columns(line, 6, false) else { return Ok(Err("Syntax error.".to_owned())) };
        let [action, _, ..] = words.as_slice() else {
            return Ok(Err("Missing action and name columns.".to_owned()));
        };
        if !rest.is_empty() {
            return Ok(Err("Trailing garbage.".to_owned()));
        }
        let &[action] = action.as_slice() else {
            return Ok(Err(format!("Unknown modifier '{}'.", show(action))));
        };
        if !b"ugmr".contains(&action) {
            return Ok(Err(format!("Unknown command type '{}'.", char::from(action))));
        }
        let mut fields: [Option<Vec<u8>>; 5] = Default::default();
        for (slot, word) in fields.iter_mut().zip(&words[1..]) {
            if word.is_empty() || word == b"-" {
                continue;
            }
            match expand(process, word)? {
                Expanded::Text(text) => *slot = Some(text),
                Expanded::NoBoot => return Err(process.not_modelled("%b before the first boot")),
                Expanded::Unresolvable | Expanded::Missing | Expanded::Unknown => {
                    return Ok(Err(format!("Failed to replace specifiers in '{}': Invalid argument", show(word))));
                }
            }
        }
        let [name, id, comment, home, shell] = fields;
        if let Some(name) = name.as_ref().filter(|name| !is_valid_name(name)) {
            return Ok(Err(format!("'{}' is not a valid user or group name.", show(name))));
        }
        if let Some(comment) = comment.as_ref().filter(|text| text.iter().any(|b| b.is_ascii_control() || *b == b':')) {
            return Ok(Err(format!("'{}' is not a valid GECOS field.", show(comment))));
        }
        if action != b'u' {
            let extra = [(&comment, "GECOS"), (&home, "home directory"), (&shell, "login shell")];
            if let Some((_, what)) = extra.iter().find(|(field, _)| field.is_some()) {
                return Ok(Err(format!("Lines of type '{}' don't take a {what} field.", char::from(action))));
            }
        }
        Ok(match (action, name) {
            (b'r', Some(_)) => Err("Lines of type 'r' don't take a name field.".to_owned()),
            (b'r', None) => self.range(id),
            (b'm', Some(name)) => self.member(name, id),
            (b'u', Some(name)) => user(name, id).map(|item| {
                let item = Item { comment: comment.unwrap_or_default(), home, shell, ..item };
                put(&mut self.users, item, "user")
            }),
            (_, Some(name)) => group(name, id).map(|item| put(&mut self.groups, item, "group")),
            (letter, None) => {
                Err(format!("Lines of type '{}' require a user name in the second field.", char::from(letter)))
            }
        })
    }

    fn range(&mut self, id: Option<Vec<u8>>) -> Result<Option<Fault>, Fault> {
        let Some(id) = id else { return Err("Lines of type 'r' require an ID range in the third field.".to_owned()) };
        let mut ends = id.splitn(2, |&b| b == b'-').map(number);
        match (ends.next().flatten(), ends.next()) {
            (Some(one), None) => self.ranges.push((one, one)),
            (Some(first), Some(Some(last))) if first <= last => self.ranges.push((first, last)),
            _ => return Err(format!("Invalid UID range {}.", show(&id))),
        }
        Ok(None)
    }

    fn member(&mut self, user: Vec<u8>, group: Option<Vec<u8>>) -> Result<Option<Fault>, Fault> {
        let Some(group) = group else {
            return Err("Lines of type 'm' require a group name in the third field.".to_owned());
        };
        if !is_valid_name(&group) {
            return Err(format!("'{}' is not a valid user or group name.", show(&group)));
        }
        match self.members.iter_mut().find(|(known, _)| *known == group) {
            Some((_, users)) if users.contains(&user) => {}
            Some((_, users)) => users.push(user),
            None => self.members.push((group, vec![user])),
        }
        Ok(None)
    }

    /// Users and groups that only `m` lines name.
    pub(super) fn add_implicit(&mut self) {
        for (group, users) in self.members.clone() {
            for user in users {
                if !self.users.iter().any(|item| item.name == user) {
                    self.users.push(Item { name: user, user: true, ..Item::default() });
                }
            }
            if !self.users.iter().chain(&self.groups).any(|item| item.name == group) {
                self.groups.push(Item { name: group, ..Item::default() });
            }
        }
    }
}

fn put(items: &mut Vec<Item>, item: Item, kind: &str) -> Option<Fault> {
    match items.iter().find(|known| known.name == item.name) {
        None => {
            items.push(item);
            None
        }
        Some(known) if *known == item => None,
        Some(_) => {
            let name = show(&item.name);
            Some(format!("Conflict with earlier configuration for {kind} '{name}', ignoring line."))
        }
    }
}

fn id(text: &[u8]) -> Option<u32> {
    number(text).filter(|id| !text.is_empty() && *id != u32::MAX && *id != 0xffff)
}

fn user(name: Vec<u8>, text: Option<Vec<u8>>) -> Result<Item, Fault> {
    let mut item = Item { name, user: true, ..Item::default() };
    let Some(text) = text else { return Ok(item) };
    if text.starts_with(b"/") {
        item.path = Some(text);
        return Ok(item);
    }
    let mut parts = text.splitn(2, |&b| b == b':');
    let (uid, group) = (parts.next().unwrap_or_default(), parts.next());
    if let Some(group) = group {
        match id(group) {
            Some(gid) => (item.gid, item.strict) = (Some(gid), true),
            None if is_valid_name(group) => item.group = Some(group.to_vec()),
            None => return Err(format!("Failed to parse GID: '{}': Invalid argument", show(&text))),
        }
    }
    if uid != b"-" {
        let fault = || format!("Failed to parse UID: '{}': Invalid argument", show(&text));
        item.uid = Some(id(uid).ok_or_else(fault)?);
    }
    Ok(item)
}

fn group(name: Vec<u8>, text: Option<Vec<u8>>) -> Result<Item, Fault> {
    let mut item = Item { name, ..Item::default() };
    match text {
        Some(path) if path.starts_with(b"/") => item.path = Some(path),
        Some(text) => {
            let fault = || format!("Failed to parse GID: '{}': Invalid argument", show(&text));
            item.gid = Some(id(&text).ok_or_else(fault)?);
        }
        None => {}
    }
    Ok(item)
}
