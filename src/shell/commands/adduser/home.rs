//! Home directories as adduser makes them, with the skeleton or without.

use super::{Call, names, say, warn};
use crate::{
    shell::{
        Process,
        stop::{Stop, show},
    },
    tree::{Node, Stat},
};

/// Whether a home is never to be made, by its name.
pub(super) fn is_nonexistent(home: &[u8]) -> bool {
    let rest = home.iter().position(|&b| b != b'/').filter(|&slashes| slashes > 0).map(|slashes| &home[slashes..]);
    rest.and_then(|rest| rest.strip_prefix(b"nonexistent"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

/// Makes the home unless it must not be; `skeleton` fills it.
pub(super) fn make(
    process: &mut Process<'_>,
    call: &Call,
    home: &[u8],
    owner: (u32, u32),
    skeleton: bool,
) -> Result<(), Stop> {
    let text = show(home);
    if is_nonexistent(home) {
        say(process, call.verbose, &format!("Not creating `{text}'."))?;
        return Ok(());
    }
    if call.arguments.has("no-create-home") {
        say(process, call.verbose, &format!("Not creating home directory `{text}'."))?;
        return Ok(());
    }
    if let Ok(id) = process.lookup(home) {
        if call.verbose {
            warn(process, &format!("The home directory `{text}' already exists.  Not touching this directory."))?;
        }
        let stat = &process.inode(id).stat;
        if (stat.uid, stat.gid) != owner {
            let whose = "does not belong to the user you are currently creating.";
            warn(process, &format!("Warning: The home directory `{text}' {whose}"))?;
        }
        return Ok(());
    }
    say(process, call.verbose, &format!("Creating home directory `{text}' ..."))?;
    let parents = Stat::root(0o755 & !process.umask, process.machine.epoch.timestamp());
    let made = process.machine.tree.create_dir_all(home, &parents);
    let id = made.map_err(|error| process.not_modelled(error.to_string()))?;
    let mode = mode(call);
    let stat = process.machine.tree.stat_mut(id);
    (stat.uid, stat.gid, stat.mode) = (owner.0, owner.1, mode);
    let source = call.config.text("skel").to_vec();
    if skeleton && !source.is_empty() {
        say(process, call.verbose, &format!("Copying files from `{}' ...", show(&source)))?;
        fill(process, call, &source, home, owner)?;
    }
    Ok(())
}

/// The configured mode of homes; anything without three octal digits is replaced.
fn mode(call: &Call) -> u16 {
    let system = call.arguments.has("system");
    let text = call.config.text(if system { "sys_dir_mode" } else { "dir_mode" });
    let octal = |text: &[u8]| text.windows(3).any(|window| window.iter().all(|b| (b'0'..=b'7').contains(b)));
    let text = if octal(text) { text } else { b"0755".as_slice() };
    let text = String::from_utf8_lossy(text);
    let mut mode = u16::from_str_radix(&text, 8).unwrap_or(0o755) & 0o7777;
    if call.config.yes("setgid_home") && mode & 0o2000 == 0 {
        mode |= 0o2000;
    }
    mode
}

fn fill(process: &mut Process<'_>, call: &Call, source: &[u8], home: &[u8], owner: (u32, u32)) -> Result<(), Stop> {
    let ignore = String::from_utf8_lossy(call.config.text("skel_ignore_regex")).into_owned();
    let setgid = call.config.yes("setgid_home");
    let Ok((top, path)) = process.machine.tree.resolve(source) else { return Ok(()) };
    let visits: Vec<_> = process.machine.tree.walk_from(path.clone(), top).skip(1).collect();
    for visit in visits {
        let below = &visit.path.as_bytes()[path.as_bytes().len()..];
        if names::matches(process, &ignore, &[b".", below].concat())? {
            continue;
        }
        let inode = process.machine.tree.get(visit.id).clone();
        let mut stat = Stat::root(inode.stat.mode, process.machine.epoch.timestamp());
        (stat.uid, stat.gid) = owner;
        let node = match inode.node {
            Node::Directory(_) => {
                if setgid && stat.mode & 0o010 != 0 {
                    stat.mode |= 0o2000;
                }
                Node::Directory(Default::default())
            }
            Node::Symlink(_) | Node::Regular(_) => inode.node,
            _ => return Err(process.not_modelled(format!("`{}` in a skeleton", visit.path)).into()),
        };
        let made = process.machine.tree.create(&[home, below].concat(), stat, node);
        made.map_err(|error| process.not_modelled(error.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_that_are_none() {
        for home in ["/nonexistent", "//nonexistent/x"] {
            assert!(is_nonexistent(home.as_bytes()), "{home}");
        }
        for home in ["/nonexistent2", "nonexistent", "/x/nonexistent"] {
            assert!(!is_nonexistent(home.as_bytes()), "{home}");
        }
    }
}
