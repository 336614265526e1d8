//! Declared steps as the shell text that performs them.

use crate::manifest::overlay::{Mode, Step, steps};

/// What `sh -e` is given for a step.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) text: String,
    /// Variables beyond the usual ones.
    pub(super) environment: Vec<(String, String)>,
}

/// The script of a step; empty for one that only places files.
// table: one arm a kind of step
pub(super) fn of(step: &Step) -> Script {
    let mut environment = Vec::new();
    let text = match step {
        Step::File(_)
        | Step::Copy(_)
        | Step::Template(_)
        | Step::Artifact(_)
        | Step::Extract(_)
        | Step::Symlink(_)
        | Step::DropIn(_)
        | Step::Locale(_)
        | Step::AptPin(_)
        | Step::AptSource(_) => String::new(),
        Step::Directory(step) => directory(step),
        Step::CopyWithin(step) => copy_within(step),
        Step::Chmod(steps::Chmod { paths, mode, recursive }) => {
            format!("chmod {}{} -- {}\n", if *recursive { "-R " } else { "" }, quote(&mode.0), globs(paths))
        }
        Step::ChmodTree(step) => chmod_tree(step),
        Step::Chown(steps::Chown { paths, owner, recursive }) => {
            let option = if *recursive { "-R " } else { "" };
            format!("chown {option}{} -- {}\n", quote(owner), globs(paths))
        }
        Step::Remove(step) => remove(step),
        Step::RemoveNamed(step) => remove_named(step),
        Step::Truncate(steps::Truncate { path }) => format!("[ -f {path} ]\n: > {path}\n", path = quote(path)),
        Step::DeleteLines(steps::DeleteLines { path, matching }) => {
            let (path, matching) = (quote(path), quote(matching));
            format!(
                "{}grep -v -E -e {matching} -- {path} > {path}.icos || [ $? = 1 ]\n{}",
                some_match(&path, &matching),
                keep(&path)
            )
        }
        Step::Replace(steps::Replace { path, matching, with, global }) => {
            let (path, pattern) = (quote(path), quote(matching));
            let flag = if *global { "g" } else { "" };
            let command = quote(&format!("s\u{1}{matching}\u{1}{with}\u{1}{flag}"));
            format!("{}sed -E -e {command} -- {path} > {path}.icos\n{}", some_match(&path, &pattern), keep(&path))
        }
        Step::Group(steps::Group { name, system }) => {
            format!("addgroup {}{}\n", if *system { "--system " } else { "" }, quote(name))
        }
        Step::User(step) => user(step),
        Step::Member(steps::Member { user, groups }) => {
            groups.iter().map(|group| format!("adduser {} {}\n", quote(user), quote(group))).collect()
        }
        Step::ModifyUser(steps::ModifyUser { name, home, shell, comment }) => {
            let options = options(&[("--home", home), ("--shell", shell), ("--comment", comment)]);
            format!("usermod{options} {}\n", quote(name))
        }
        Step::Password(steps::Password { user, hash }) => {
            format!("usermod --password {} {}\n", quote(hash), quote(user))
        }
        Step::DeletePassword(steps::DeletePassword { user }) => format!("passwd -d {}\n", quote(user)),
        Step::Sysusers(steps::Sysusers { files }) => format!("systemd-sysusers {}\n", words(files)),
        Step::Enable(steps::Enable { units }) => format!("systemctl enable {}\n", words(units)),
        Step::EnableAll(step) => enable_all(step),
        Step::Disable(steps::Disable { units }) => format!("systemctl disable {}\n", words(units)),
        Step::Mask(steps::Mask { units }) => format!("systemctl mask {}\n", words(units)),
        Step::Initramfs(step) => {
            environment.extend(step.environment.clone());
            initramfs(step)
        }
        Step::CaCertificates(_) => "update-ca-certificates\n".to_owned(),
        Step::Reconfigure(step) => reconfigure(step),
        Step::Script(steps::Script { text }) => text.clone(),
    };
    Script { text, environment }
}

/// Gives what was placed to an owner.
pub(super) fn own<'a>(owner: &str, paths: impl Iterator<Item = &'a [u8]>) -> String {
    let paths: Vec<_> = paths.map(|path| quote(&String::from_utf8_lossy(path))).collect();
    if paths.is_empty() { String::new() } else { format!("chown -h {} -- {}\n", quote(owner), paths.join(" ")) }
}

fn directory(step: &steps::Directory) -> String {
    let path = quote(&step.path);
    let mut text = format!("mkdir -p -- {path}\n");
    if let Some(Mode(bits)) = step.mode {
        text += &format!("chmod {bits:04o} -- {path}\n");
    }
    if let Some(owner) = &step.owner {
        text += &format!("chown {} -- {path}\n", quote(owner));
    }
    text
}

fn copy_within(step: &steps::CopyWithin) -> String {
    let (from, to) = (quote(&step.from), quote(&step.to));
    let parent = step.to.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent);
    // A file or link that is there goes; folders are merged.
    let gone = format!("if [ -h {to} ] || ! [ -d {to} ]; then rm -f -- {to}; fi\n");
    format!("mkdir -p -- {}\n{gone}cp -a -T -- {from} {to}\n", quote(&format!("{parent}/")))
}

fn chmod_tree(step: &steps::ChmodTree) -> String {
    let mut text = "set --\n".to_owned();
    if !step.except.is_empty() {
        // find's own patterns would match across folders, so the shell's matches are given to it word by word.
        text += &format!("for path in {}; do\n", globs(&step.except));
        text += "  [ -e \"$path\" ] || [ -h \"$path\" ] || { echo \"no match for $path\" >&2; exit 1; }\n";
        text += "  set -- \"$@\" -path \"$(printf %s \"$path\" | sed 's/[][\\\\*?]/\\\\&/g')\" -prune -o\ndone\n";
    }
    let of = |kind: &str, mode: &Option<Mode>| {
        mode.map(|Mode(bits)| format!("-type {kind} -exec chmod {bits:04o} -- {{}} +"))
    };
    let rules: Vec<_> = of("d", &step.directories).into_iter().chain(of("f", &step.files)).collect();
    text + &format!("find {} \"$@\" {}\n", quote(&step.path), rules.join(" -o "))
}

fn remove(step: &steps::Remove) -> String {
    let globs = globs(&step.paths);
    if step.optional {
        return format!(
            "for path in {globs}; do\n  if [ -e \"$path\" ] || [ -h \"$path\" ]; then rm -r -- \"$path\"; fi\ndone\n"
        );
    }
    format!("rm -r -- {globs}\n")
}

fn remove_named(step: &steps::RemoveNamed) -> String {
    let below = quote(&step.below);
    let mut text = String::new();
    for name in &step.names {
        let name = quote(name);
        if !step.optional {
            text += &format!("[ -n \"$(find {below} -mindepth 1 -name {name} -print -quit)\" ] || {{ ");
            text += &format!("printf '%s is nowhere below %s\\n' {name} {below} >&2; exit 1; }}\n");
        }
        text += &format!("find {below} -mindepth 1 -depth -name {name} -exec rm -r -- {{}} +\n");
    }
    text
}

/// Fails, and says so, where no line of a file matches.
fn some_match(path: &str, matching: &str) -> String {
    format!("grep -q -E -e {matching} -- {path} || {{ printf 'no line of %s matches\\n' {path} >&2; exit 1; }}\n")
}

/// Puts a rewritten copy in place without changing the file's owner and mode.
fn keep(path: &str) -> String {
    format!("cat {path}.icos > {path}\nrm {path}.icos\n")
}

fn options(list: &[(&str, &Option<String>)]) -> String {
    let given = list.iter().filter_map(|(option, value)| value.as_ref().map(|value| (option, value)));
    given.map(|(option, value)| format!(" {option} {}", quote(value))).collect()
}

fn user(step: &steps::User) -> String {
    let mut text = "adduser --disabled-password".to_owned();
    for (set, option) in
        [(step.system, "--system"), (step.own_group, "--group"), (step.no_create_home, "--no-create-home")]
    {
        if set {
            text += &format!(" {option}");
        }
    }
    if step.comment.is_none() && !step.system {
        // Without it adduser asks for one.
        text += " --gecos ''";
    }
    text += &options(&[
        ("--ingroup", &step.group),
        ("--home", &step.home),
        ("--shell", &step.shell),
        ("--gecos", &step.comment),
    ]);
    text + &format!(" {}\n", quote(&step.name))
}

fn enable_all(step: &steps::EnableAll) -> String {
    let except = match step.except.as_slice() {
        [] => String::new(),
        names => {
            let patterns: Vec<_> = names.iter().map(|name| globs(std::slice::from_ref(name))).collect();
            format!("  case ${{file##*/}} in {}) continue ;; esac\n", patterns.join(" | "))
        }
    };
    let folder = quote(step.folder.trim_end_matches('/'));
    format!(
        "set --\nfor file in {folder}/*; do\n  [ -f \"$file\" ] && ! [ -h \"$file\" ] || continue\n  \
         case ${{file##*/}} in *@.*) continue ;; esac\n{except}  \
         grep -q '^\\[Install\\]' -- \"$file\" || continue\n  set -- \"$@\" \"${{file##*/}}\"\ndone\n\
         [ $# != 0 ] || {{ printf 'no unit in %s can be enabled\\n' {folder} >&2; exit 1; }}\n\
         systemctl enable \"$@\"\n"
    )
}

fn initramfs(step: &steps::Initramfs) -> String {
    let mut text = String::new();
    for module in &step.modules {
        let (file, module) = ("/etc/initramfs-tools/modules", quote(module));
        text += &format!("grep -q -x -F -e {module} -- {file} || printf '%s\\n' {module} >> {file}\n");
    }
    text + "update-initramfs -u -k all\n"
}

fn reconfigure(step: &steps::Reconfigure) -> String {
    let package = &step.package;
    let line =
        |answer: &steps::Answer| quote(&format!("{package} {} {} {}", answer.question, answer.r#type, answer.value));
    let mut text = String::new();
    if !step.answers.is_empty() {
        let lines: Vec<_> = step.answers.iter().map(line).collect();
        text += &format!("printf '%s\\n' {} > /run/icos.answers\n", lines.join(" "));
        text += "debconf-set-selections /run/icos.answers\nrm /run/icos.answers\n";
    }
    text + &format!("dpkg-reconfigure --frontend=noninteractive {}\n", quote(package))
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
