//! What a step must be before anything is done: every fault names its field.

use regex::Regex;

use super::{Step, steps};

/// What is wrong with one key of a step.
pub(super) struct Fault {
    pub(super) field: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

type Checked = Result<(), Fault>;

fn fault(field: &'static str, message: impl Into<String>) -> Fault {
    Fault { field, message: message.into(), hint: None }
}

impl Fault {
    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

// table: one arm a kind of step
pub(super) fn step(step: &Step) -> Checked {
    match step {
        Step::Directory(s) => path("path", &s.path).and_then(|()| owner(s.owner.as_deref())),
        Step::Copy(s) => beside("from", &s.from).and_then(|()| placed(&s.to, s.owner.as_deref())),
        Step::File(s) => path("path", &s.path).and_then(|()| owner(s.owner.as_deref())),
        Step::Template(s) => template(s),
        Step::CopyWithin(s) => path("from", &s.from).and_then(|()| path("to", &s.to)),
        Step::Artifact(s) => {
            beside("from", &s.from)?;
            sums(&s.from, s.sha256.is_some() || s.sha512.is_some())?;
            placed(&s.to, s.owner.as_deref())
        }
        Step::Extract(s) => {
            beside("from", &s.from)?;
            sums(&s.from, s.sha256.is_some() || s.sha512.is_some())?;
            placed(&s.to, s.owner.as_deref())
        }
        Step::Symlink(s) => path("path", &s.path).and_then(|()| given("target", &s.target)),
        Step::Chmod(s) => paths("paths", &s.paths),
        Step::ChmodTree(s) => {
            if s.directories.is_none() && s.files.is_none() {
                return Err(fault("directories", "neither it nor files is given"));
            }
            path("path", &s.path)?;
            s.except.iter().try_for_each(|item| path("except", item))
        }
        Step::Chown(s) => paths("paths", &s.paths).and_then(|()| owner(Some(&s.owner))),
        Step::Remove(s) => paths("paths", &s.paths).and_then(|()| s.paths.iter().try_for_each(|item| below_root(item))),
        Step::RemoveNamed(s) => path("below", &s.below).and_then(|()| names("names", &s.names)),
        Step::Truncate(s) => path("path", &s.path),
        Step::DeleteLines(s) => path("path", &s.path).and_then(|()| expression("matching", &s.matching)),
        Step::Replace(s) => {
            path("path", &s.path)?;
            expression("matching", &s.matching)?;
            let odd = s.with.contains(['\n', '\u{1}']);
            if odd { Err(fault("with", "a line break or control character")) } else { Ok(()) }
        }
        Step::Group(s) => account("name", &s.name),
        Step::User(s) => user(s),
        Step::Member(s) => {
            account("user", &s.user)?;
            some("groups", &s.groups)?;
            s.groups.iter().try_for_each(|group| account("groups", group))
        }
        Step::ModifyUser(s) => {
            account("name", &s.name)?;
            if s.home.is_none() && s.shell.is_none() && s.comment.is_none() {
                return Err(fault("name", "nothing is to be changed"));
            }
            s.home.iter().try_for_each(|home| path("home", home))
        }
        Step::Password(s) => account("user", &s.user).and_then(|()| hash(&s.hash)),
        Step::DeletePassword(s) => account("user", &s.user),
        Step::Sysusers(s) => s.files.iter().try_for_each(|file| given("files", file)),
        Step::Enable(s) => units(&s.units),
        Step::Disable(s) => units(&s.units),
        Step::Mask(s) => units(&s.units),
        Step::EnableAll(s) => path("folder", &s.folder),
        Step::DropIn(s) => drop_in(s),
        Step::Initramfs(s) => initramfs(s),
        Step::Locale(s) => {
            locale("lang", &s.lang)?;
            s.variables.iter().try_for_each(|(name, value)| {
                matching("variables", name, "^LC_[A-Z]+$|^LANGUAGE$", "no variable of a locale")?;
                if name == "LANGUAGE" { Ok(()) } else { locale("variables", value) }
            })
        }
        Step::CaCertificates(s) => s.add.iter().try_for_each(|file| beside("add", file)),
        Step::Reconfigure(s) => reconfigure(s),
        Step::AptSource(s) => apt_source(s),
        Step::AptPin(s) => {
            plain("name", &s.name)?;
            some("packages", &s.packages)?;
            s.packages.iter().try_for_each(|package| line("packages", package))?;
            line("pin", &s.pin)
        }
        Step::Script(_) => Ok(()),
    }
}

fn path(field: &'static str, text: &str) -> Checked {
    if text.starts_with('/') && !text.contains('\0') && !text.split('/').any(|part| part == "..") {
        return Ok(());
    }
    if text.starts_with('/') {
        return Err(fault(field, format!("`{}` has a `..` or a NUL byte in it", text.escape_debug())));
    }
    let fault = fault(field, format!("`{text}` is not an absolute path"));
    let hint = format!("paths are those of the target: `/{text}`");
    Err(if text.is_empty() { fault } else { fault.hint(hint) })
}

fn paths(field: &'static str, list: &[String]) -> Checked {
    some(field, list)?;
    list.iter().try_for_each(|item| path(field, item))
}

fn below_root(item: &str) -> Checked {
    let whole = item.trim_matches('/').is_empty();
    if whole { Err(fault("paths", format!("`{item}` is the whole target"))) } else { Ok(()) }
}

fn some(field: &'static str, list: &[String]) -> Checked {
    if list.is_empty() { Err(fault(field, "expected at least one")) } else { Ok(()) }
}

fn given(field: &'static str, text: &str) -> Checked {
    if text.is_empty() || text.contains('\0') { Err(fault(field, format!("`{text}` is no name"))) } else { Ok(()) }
}

/// Names without folders.
fn names(field: &'static str, list: &[String]) -> Checked {
    some(field, list)?;
    let bad = list.iter().find(|name| name.is_empty() || name.contains('/'));
    bad.map_or(Ok(()), |name| Err(fault(field, format!("`{name}` is no name of a file"))))
}

/// A file or folder that the overlay brings along.
fn beside(field: &'static str, text: &str) -> Checked {
    let inside = !text.is_empty() && text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if inside {
        return Ok(());
    }
    let fault = fault(field, format!("`{text}` is not beside overlay.toml"));
    Err(if text.starts_with('/') { fault.hint("`copy-within` copies inside the target") } else { fault })
}

fn sums(from: &str, given: bool) -> Checked {
    if given {
        return Ok(());
    }
    Err(fault("sha256", "neither it nor sha512 is given").hint(format!("`sha256sum {from}` tells it")))
}

fn placed(to: &str, of: Option<&str>) -> Checked {
    path("to", to).and_then(|()| owner(of))
}

fn matching(field: &'static str, text: &str, pattern: &str, what: &str) -> Checked {
    let fits = Regex::new(pattern).expect("a valid pattern").is_match(text);
    if fits { Ok(()) } else { Err(fault(field, format!("`{text}` is {what}"))) }
}

fn owner(text: Option<&str>) -> Checked {
    let Some(text) = text else { return Ok(()) };
    let part = r"[^-+~:,/\s][^:,/\s]*";
    matching("owner", text, &format!("^({part}(:({part})?)?|:{part})$"), "no `user`, `user:group` or `:group`")
}

fn account(field: &'static str, text: &str) -> Checked {
    matching(field, text, r"^[^-+~:,/\s][^:,/\s]{0,31}$", "no name of an account")
}

fn plain(field: &'static str, text: &str) -> Checked {
    matching(field, text, "^[A-Za-z0-9_-]+$", "no plain name")
        .map_err(|fault| fault.hint("letters, digits, `-` and `_`, without an ending"))
}

fn line(field: &'static str, text: &str) -> Checked {
    matching(field, text, r"^\S[^\n\r]*$", "no line of text")
}

fn expression(field: &'static str, text: &str) -> Checked {
    if text.contains(['\n', '\u{1}']) {
        return Err(fault(field, "a line break or control character; lines are matched one by one"));
    }
    Ok(())
}

fn locale(field: &'static str, text: &str) -> Checked {
    matching(field, text, r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", "no locale")
}

fn hash(text: &str) -> Checked {
    let locked = text.starts_with(['!', '*']);
    let crypt = Regex::new(r"^!?\$(1|2[aby]|5|6|7|y|gy)\$[./0-9A-Za-z$=,-]+$").expect("a valid pattern");
    if (locked || crypt.is_match(text)) && !text.contains([':', '\n']) {
        return Ok(());
    }
    let hint =
        if text.is_empty() { "`delete-password` lets a user in without one" } else { "`openssl passwd -6` makes one" };
    Err(fault("hash", format!("`{text}` is no hash of crypt(5)")).hint(hint))
}

fn units(list: &[String]) -> Checked {
    some("units", list)?;
    list.iter().try_for_each(|unit| matching("units", unit, r"^[A-Za-z0-9:_.\\@-]+$", "no name of a unit"))
}

fn user(step: &steps::User) -> Checked {
    account("name", &step.name)?;
    if step.own_group && step.group.is_some() {
        return Err(fault("group", "it can't have a group of its own and another one"));
    }
    step.group.iter().try_for_each(|group| account("group", group))?;
    step.home.iter().chain(&step.shell).try_for_each(|text| path("home", text))?;
    let odd = step.comment.as_ref().is_some_and(|comment| comment.contains([':', '\n']));
    if odd { Err(fault("comment", "a colon or line break")) } else { Ok(()) }
}

fn drop_in(step: &steps::DropIn) -> Checked {
    matching("unit", &step.unit, r"^[A-Za-z0-9:_.\\@-]+$", "no name of a unit")?;
    if !step.unit.contains('.') {
        let fault = fault("unit", format!("`{}` has no type", step.unit));
        return Err(fault.hint(format!("such as `{}.service`", step.unit)));
    }
    matching("name", &step.name, r"^[^/.][^/]*\.conf$", "no name of a drop-in, which ends in .conf")
}

fn template(step: &steps::Template) -> Checked {
    beside("from", &step.from)?;
    placed(&step.to, step.owner.as_deref())?;
    if step.marks[0].is_empty() != step.marks[1].is_empty() {
        return Err(fault("marks", "one of the two is empty"));
    }
    step.values.keys().try_for_each(|name| {
        matching("values", name, "^[A-Z][A-Z0-9_]*$", "no name of a placeholder")
            .map_err(|fault| fault.hint("capital letters, digits and `_`"))
    })
}

fn initramfs(step: &steps::Initramfs) -> Checked {
    step.modules.iter().try_for_each(|module| line("modules", module))?;
    step.hooks.iter().try_for_each(|file| beside("hooks", file))?;
    step.scripts.iter().try_for_each(|(place, file)| {
        matching("scripts", place, "^[a-z]+(-[a-z]+)*(/[A-Za-z0-9_-]+)?$", "not of the form `init-bottom/NAME`")?;
        beside("scripts", file)
    })
}

fn reconfigure(step: &steps::Reconfigure) -> Checked {
    matching("package", &step.package, "^[a-z0-9][a-z0-9+.-]+$", "no name of a package")?;
    step.answers.iter().try_for_each(|answer| {
        matching("answers", &answer.question, r"^\S+/\S+$", "no name of a question")?;
        matching("answers", &answer.r#type, "^[a-z]+$", "no type of a question")?;
        let odd = answer.value.contains('\n');
        if odd { Err(fault("answers", "a value with a line break")) } else { Ok(()) }
    })
}

fn apt_source(step: &steps::AptSource) -> Checked {
    plain("name", &step.name)?;
    some("uris", &step.uris)?;
    some("suites", &step.suites)?;
    let words = step.uris.iter().chain(&step.suites).chain(&step.components);
    for word in words {
        matching("uris", word, r"^\S+$", "more than one word")?;
    }
    if step.signed_by.starts_with('/') {
        path("signed-by", &step.signed_by)
    } else {
        beside("signed-by", &step.signed_by)
    }
}
