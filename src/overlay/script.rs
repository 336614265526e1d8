//! Declared steps as the shell text that performs them.

use crate::manifest::overlay::{Mode, Step};

/// What `sh -e` is given for a step.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The step's key in `overlay.toml`.
    pub(super) action: &'static str,
    pub(super) text: String,
    /// Variables beyond the usual ones.
    pub(super) environment: Vec<(String, String)>,
}

/// The script of a step; `None` for `copy`, the one step that brings files from outside.
// table: one arm a kind of step
pub(super) fn of(step: &Step) -> Option<Script> {
    let mut environment = Vec::new();
    let text = match step {
        Step::Copy { .. } => return None,
        Step::File { path, text, mode } => {
            let Mode(bits) = mode.unwrap_or(Mode(0o644));
            let path = quote(path);
            format!("rm -f -- {path}\nprintf %s {} > {path}\nchmod {bits:04o} -- {path}\n", quote(text))
        }
        Step::Symlink { path, target } => {
            let path = quote(path);
            format!("rm -f -- {path}\nln -s -- {} {path}\n", quote(target))
        }
        Step::Directory { path, mode, owner } => {
            let mut text = format!("mkdir -p -- {path}\n", path = quote(path));
            if let Some(Mode(bits)) = mode {
                text += &format!("chmod {bits:04o} -- {}\n", quote(path));
            }
            if let Some(owner) = owner {
                text += &format!("chown {} -- {}\n", quote(owner), quote(path));
            }
            text
        }
        Step::Chmod { paths, mode: Mode(bits) } => format!("chmod {bits:04o} -- {}\n", globs(paths)),
        Step::Chown { paths, owner, recursive } => {
            let option = if *recursive { "-R " } else { "" };
            format!("chown {option}{} -- {}\n", quote(owner), globs(paths))
        }
        Step::Remove { paths } => format!("rm -r -- {}\n", globs(paths)),
        Step::Truncate { path } => format!("[ -f {path} ]\n: > {path}\n", path = quote(path)),
        Step::DeleteLines { path, matching } => {
            let (path, matching) = (quote(path), quote(matching));
            format!(
                "grep -q -E -e {matching} -- {path}\ngrep -v -E -e {matching} -- {path} > {path}.icos || [ $? = 1 ]\n{}",
                keep(&path)
            )
        }
        Step::Replace { path, matching, with } => {
            let (path, pattern) = (quote(path), quote(matching));
            let command = quote(&format!("s\u{1}{matching}\u{1}{with}\u{1}"));
            format!("grep -q -E -e {pattern} -- {path}\nsed -E -e {command} -- {path} > {path}.icos\n{}", keep(&path))
        }
        Step::Group { name, system } => {
            format!("addgroup {}{}\n", if *system { "--system " } else { "" }, quote(name))
        }
        Step::User { name, system, own_group, home, no_create_home, shell, comment } => {
            let mut text = "adduser --disabled-password".to_owned();
            for (set, option) in [(*system, "--system"), (*own_group, "--group"), (*no_create_home, "--no-create-home")]
            {
                if set {
                    text += &format!(" {option}");
                }
            }
            for (option, value) in [("--home", home), ("--shell", shell), ("--gecos", comment)] {
                if let Some(value) = value {
                    text += &format!(" {option} {}", quote(value));
                }
            }
            text + &format!(" {}\n", quote(name))
        }
        Step::Member { user, groups } => {
            groups.iter().map(|group| format!("adduser {} {}\n", quote(user), quote(group))).collect()
        }
        Step::ModifyUser { name, home, shell } => {
            let mut text = "usermod".to_owned();
            for (option, value) in [("--home", home), ("--shell", shell)] {
                if let Some(value) = value {
                    text += &format!(" {option} {}", quote(value));
                }
            }
            text + &format!(" {}\n", quote(name))
        }
        Step::Password { user, hash } => format!("usermod --password {} {}\n", quote(hash), quote(user)),
        Step::Enable { units } => format!("systemctl enable {}\n", words(units)),
        Step::Disable { units } => format!("systemctl disable {}\n", words(units)),
        Step::Mask { units } => format!("systemctl mask {}\n", words(units)),
        Step::Initramfs { environment: extra } => {
            environment.extend(extra.clone());
            "update-initramfs -u -k all\n".to_owned()
        }
        Step::CaCertificates {} => "update-ca-certificates\n".to_owned(),
        Step::Script { text } => text.clone(),
    };
    Some(Script { action: action(step), text, environment })
}

/// A step's key in `overlay.toml`.
fn action(step: &Step) -> &'static str {
    match step {
        Step::Copy { .. } => "copy",
        Step::File { .. } => "file",
        Step::Symlink { .. } => "symlink",
        Step::Directory { .. } => "directory",
        Step::Chmod { .. } => "chmod",
        Step::Chown { .. } => "chown",
        Step::Remove { .. } => "remove",
        Step::Truncate { .. } => "truncate",
        Step::DeleteLines { .. } => "delete-lines",
        Step::Replace { .. } => "replace",
        Step::Group { .. } => "group",
        Step::User { .. } => "user",
        Step::Member { .. } => "member",
        Step::ModifyUser { .. } => "modify-user",
        Step::Password { .. } => "password",
        Step::Enable { .. } => "enable",
        Step::Disable { .. } => "disable",
        Step::Mask { .. } => "mask",
        Step::Initramfs { .. } => "initramfs",
        Step::CaCertificates {} => "ca-certificates",
        Step::Script { .. } => "script",
    }
}

/// Puts a rewritten copy in place without changing the file's owner and mode.
fn keep(path: &str) -> String {
    format!("cat {path}.icos > {path}\nrm {path}.icos\n")
}

/// One shell word that stands for itself.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn words(list: &[String]) -> String {
    list.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// Words in which `*`, `?` and `[...]` keep their meaning.
fn globs(list: &[String]) -> String {
    let glob = |text: &String| {
        let plain = |c: char| !matches!(c, '*' | '?' | '[' | ']');
        let mut word = String::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
            if end > 0 {
                word += &quote(&rest[..end]);
                rest = &rest[end..];
            } else {
                let (special, after) = rest.split_at(1);
                word += special;
                rest = after;
            }
        }
        word
    };
    list.iter().map(glob).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_all_but_globs() {
        assert_eq!(globs(&["/etc/ssh/ssh*key*".to_owned(), "/a b".to_owned()]), "'/etc/ssh/ssh'*'key'* '/a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
    }
}
