//! `overlays/<name>/overlay.toml`: what is done to a configured tree, step by step, where others write a Dockerfile.

use regex::Regex;
use serde::Deserialize;

use super::ManifestError;

mod check;
pub mod steps;

/// A file of steps, checked.
#[derive(Clone, Debug)]
pub struct Overlay {
    pub entries: Vec<Entry>,
}

/// One step, and where it counts.
#[derive(Clone, Debug)]
pub struct Entry {
    /// From 1, in the file's order.
    pub number: usize,
    /// Where it begins, from 1.
    pub line: usize,
    /// Variants that it is for; absent: all.
    pub variants: Option<Vec<String>>,
    pub step: Step,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayFile {
    #[serde(default, rename = "step")]
    steps: Vec<toml::Spanned<RawEntry>>,
}

/// Permission bits in octal, as text: `"0755"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u16);

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bits = u16::from_str_radix(text, 8).ok().filter(|bits| *bits <= 0o7777 && !text.starts_with('+'));
        bits.map(Self).ok_or_else(|| format!("expected an octal mode such as \"0755\", found `{text}`"))
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A mode as chmod(1) takes it: octal, or changes to what is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ModeChange(pub String);

impl TryFrom<String> for ModeChange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let clause = "[ugoa]*([-+=]([rwxXst]*|[ugo]))+";
        let changes = Regex::new(&format!("^{clause}(,{clause})*$")).expect("a valid pattern");
        if text.parse::<Mode>().is_ok() || changes.is_match(&text) {
            return Ok(Self(text));
        }
        Err(format!("expected a mode such as \"0755\" or \"u+s\", found `{text}`"))
    }
}

/// The kinds of step: key in the file, then type.
macro_rules! kinds {
    ($($key:ident $name:literal $kind:ident),+ $(,)?) => {
        /// What is done.
        #[derive(Clone, Debug)]
        pub enum Step {
            $($kind(steps::$kind),)+
        }

        impl Step {
            #[cfg(test)]
            const KINDS: &[&str] = &[$($name),+];

            /// The key that names it in the file.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $name,)+
                }
            }
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        struct RawEntry {
            variants: Option<Vec<String>>,
            $($key: Option<steps::$kind>,)+
        }

        impl RawEntry {
            fn steps(self) -> (Option<Vec<String>>, Vec<Step>) {
                let mut steps = Vec::new();
                $(steps.extend(self.$key.map(Step::$kind));)+
                (self.variants, steps)
            }
        }
    };
}

kinds! {
    apt_pin "apt-pin" AptPin,
    apt_source "apt-source" AptSource,
    artifact "artifact" Artifact,
    ca_certificates "ca-certificates" CaCertificates,
    chmod "chmod" Chmod,
    chmod_tree "chmod-tree" ChmodTree,
    chown "chown" Chown,
    copy "copy" Copy,
    copy_within "copy-within" CopyWithin,
    delete_lines "delete-lines" DeleteLines,
    delete_password "delete-password" DeletePassword,
    directory "directory" Directory,
    disable "disable" Disable,
    drop_in "drop-in" DropIn,
    enable "enable" Enable,
    enable_all "enable-all" EnableAll,
    extract "extract" Extract,
    file "file" File,
    group "group" Group,
    initramfs "initramfs" Initramfs,
    locale "locale" Locale,
    mask "mask" Mask,
    member "member" Member,
    modify_user "modify-user" ModifyUser,
    password "password" Password,
    reconfigure "reconfigure" Reconfigure,
    remove "remove" Remove,
    remove_named "remove-named" RemoveNamed,
    replace "replace" Replace,
    script "script" Script,
    symlink "symlink" Symlink,
    sysusers "sysusers" Sysusers,
    template "template" Template,
    truncate "truncate" Truncate,
    user "user" User,
}

impl Overlay {
    /// Reads and checks `overlay.toml`.
    pub fn parse(file: &str, text: &str) -> Result<Self, ManifestError> {
        let raw: OverlayFile = super::read(file, text)?;
        let mut entries = Vec::new();
        for (number, raw) in (1..).zip(raw.steps) {
            let invalid = |message, hint| ManifestError::Invalid { file: file.to_owned(), message, hint };
            let line = text[..raw.span().start].matches('\n').count() + 1;
            let (variants, mut steps) = raw.into_inner().steps();
            let (Some(step), true) = (steps.pop(), steps.is_empty()) else {
                let hint = "each [[step]] has one key beside `variants`, which says what is done";
                return Err(invalid(format!("step {number}: expected one kind of step"), Some(hint.to_owned())));
            };
            if variants.as_ref().is_some_and(Vec::is_empty) {
                return Err(invalid(format!("step {number}, variants: expected at least one"), None));
            }
            check::step(&step).map_err(|fault| {
                let message = format!("step {number} ({}), {}: {}", step.kind(), fault.field, fault.message);
                invalid(message, fault.hint)
            })?;
            entries.push(Entry { number, line, variants, step });
        }
        Ok(Self { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_steps() {
        let overlay = Overlay::parse(
            "x",
            "[[step]]\ndirectory = { path = \"/root/.ssh\", mode = \"0700\" }\n[[step]]\nenable = { units = [\"chrony\"] }\n\
             variants = [\"dev\"]\n[[step]]\nca-certificates = {}\n",
        )
        .expect("valid");
        let kinds: Vec<_> = overlay.entries.iter().map(|entry| (entry.number, entry.line, entry.step.kind())).collect();
        assert_eq!(kinds, [(1, 1, "directory"), (2, 3, "enable"), (3, 6, "ca-certificates")]);
        assert_eq!(overlay.entries[1].variants.as_deref(), Some(["dev".to_owned()].as_slice()));
        assert!(matches!(&overlay.entries[0].step, Step::Directory(steps::Directory { mode: Some(Mode(0o700)), .. })));
    }

    #[test]
    fn the_reference_has_every_kind() {
        let reference = include_str!("../../docs/overlays.md");
        for kind in Step::KINDS {
            assert!(
                reference.lines().any(|line| line.starts_with("| ") && line.contains(&format!("`{kind}`"))),
                "{kind}"
            );
        }
    }

    #[test]
    // table: one row a fault
    fn refuses_what_is_wrong() {
        let check = |text: &str, expect: &str, hint: Option<&str>| {
            let text = format!("[[step]]\ntruncate = {{ path = \"/x\" }}\n[[step]]\n{text}\n");
            let error = Overlay::parse("o.toml", &text).expect_err("refused");
            assert!(error.to_string().starts_with(expect), "{error}");
            assert_eq!(error.hint(), hint, "{error}");
        };
        check(
            "directry = { path = \"/x\" }",
            "o.toml:4:1: unknown field `directry`, expected one of",
            Some("did you mean `directory`?"),
        );
        check("chmod = { paths = [], mode = \"9\" }", "o.toml:4:30: expected a mode such as", None);
        check("directory = { path = \"/x\", mode = \"07777777\" }", "o.toml:4:35: expected an octal mode", None);
        check("chmod = { paths = [], mode = \"0644\" }", "o.toml: step 2 (chmod), paths: expected at least one", None);
        check("chmod-tree = { path = \"/etc\" }", "o.toml: step 2 (chmod-tree), directories: neither", None);
        let kind = Some("each [[step]] has one key beside `variants`, which says what is done");
        check("variants = [\"dev\"]", "o.toml: step 2: expected one kind of step", kind);
        check(
            "truncate = { path = \"/x\" }\nscript = { text = \"\" }",
            "o.toml: step 2: expected one kind of step",
            kind,
        );
        check("truncate = { path = \"/x\" }\nvariants = []", "o.toml: step 2, variants: expected at least one", None);
        check(
            "file = { path = \"etc/x\", text = \"\" }",
            "o.toml: step 2 (file), path: `etc/x` is not an absolute path",
            Some("paths are those of the target: `/etc/x`"),
        );
        check(
            "file = { path = \"/etc/../x\", text = \"\" }",
            "o.toml: step 2 (file), path: `/etc/../x` has a `..` or a NUL byte in it",
            None,
        );
        check(
            "copy = { from = \"/etc\", to = \"/etc\" }",
            "o.toml: step 2 (copy), from: `/etc` is not beside overlay.toml",
            Some("`copy-within` copies inside the target"),
        );
        check(
            "copy = { from = \"../other\", to = \"/etc\" }",
            "o.toml: step 2 (copy), from: `../other` is not beside overlay.toml",
            None,
        );
        check("remove = { paths = [\"/\"] }", "o.toml: step 2 (remove), paths: `/` is the whole target", None);
        check(
            "replace = { path = \"/x\", matching = \"a\", with = \"b\\n\" }",
            "o.toml: step 2 (replace), with: a line break or control character",
            None,
        );
        check(
            "artifact = { from = \"x\", to = \"/x\" }",
            "o.toml: step 2 (artifact), sha256: neither it nor sha512 is given",
            Some("`sha256sum x` tells it"),
        );
        check(
            "password = { user = \"root\", hash = \"root\" }",
            "o.toml: step 2 (password), hash: `root` is no hash of crypt(5)",
            Some("`openssl passwd -6` makes one"),
        );
        check(
            "password = { user = \"root\", hash = \"\" }",
            "o.toml: step 2 (password), hash: `` is no hash of crypt(5)",
            Some("`delete-password` lets a user in without one"),
        );
        check("user = { name = \"a:b\" }", "o.toml: step 2 (user), name: `a:b` is no name of an account", None);
        check(
            "user = { name = \"a\", group = \"b\", own-group = true }",
            "o.toml: step 2 (user), group: it can't have a group of its own and another one",
            None,
        );
        check("modify-user = { name = \"a\" }", "o.toml: step 2 (modify-user), name: nothing is to be changed", None);
        check("chown = { paths = [\"/x\"], owner = \"a b\" }", "o.toml: step 2 (chown), owner: `a b` is no", None);
        check(
            "enable = { units = [\"a b.service\"] }",
            "o.toml: step 2 (enable), units: `a b.service` is no name of a unit",
            None,
        );
        check(
            "drop-in = { unit = \"x\", text = \"\" }",
            "o.toml: step 2 (drop-in), unit: `x` has no type",
            Some("such as `x.service`"),
        );
        check(
            "template = { from = \"x\", to = \"/x\", values = { a = \"\" } }",
            "o.toml: step 2 (template), values: `a` is no name of a placeholder",
            Some("capital letters, digits and `_`"),
        );
        check(
            "template = { from = \"x\", to = \"/x\", values = {}, marks = [\"@\", \"\"] }",
            "o.toml: step 2 (template), marks: one of the two is empty",
            None,
        );
        check(
            "apt-pin = { name = \"x.pref\", packages = [\"*\"], pin = \"release n=x\", priority = 1 }",
            "o.toml: step 2 (apt-pin), name: `x.pref` is no plain name",
            Some("letters, digits, `-` and `_`, without an ending"),
        );
        check(
            "reconfigure = { package = \"dash\", answers = [{ question = \"dash/sh x\", type = \"boolean\", value = \"a\" }] }",
            "o.toml: step 2 (reconfigure), answers: `dash/sh x` is no name of a question",
            None,
        );
        check("locale = { lang = \"de DE\" }", "o.toml: step 2 (locale), lang: `de DE` is no locale", None);
        check(
            "initramfs = { scripts = { \"/x\" = \"x\" } }",
            "o.toml: step 2 (initramfs), scripts: `/x` is not of the form `init-bottom/NAME`",
            None,
        );
    }
}
