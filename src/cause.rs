//! Who changes a tree: the parts of an assembly, from a package's unpacking down to a line of a script.

use std::fmt::Write;

/// One part of an assembly. A chain of them, outermost first, says who made a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// The root with a merged `/usr` that everything begins with.
    Base,
    /// A package's files as a bootstrap lays them out before dpkg unpacks them in its order.
    LayOut { package: Box<str> },
    /// A package's files as dpkg unpacks them.
    Unpack { package: Box<str> },
    /// A configuration file put in place, or not, when its package is configured.
    Conffile { package: Box<str> },
    /// dpkg's own records, of one package or of all.
    Database { package: Option<Box<str>> },
    /// Answers for debconf from the image's definition.
    Preseed,
    /// A maintainer script; `reason` is what dpkg calls it with: `configure`, `triggered NAME...`.
    Script { package: Box<str>, script: &'static str, reason: Box<str> },
    /// What an image is deliberately without.
    Policy { reason: &'static str },
    /// A step of an overlay, counted from 1; `action` is its key in `overlay.toml`.
    Overlay { overlay: Box<str>, step: usize, action: &'static str },
    /// Files that every image gets last.
    Build,
    /// A line of a shell script; `script` is its path in the tree, or the name that a text without one goes by.
    Line { script: Box<str>, line: usize },
    /// A program that is built in, or a built-in command of the shell.
    Command { name: Box<str> },
}

impl Cause {
    /// A program, by the last part of the name that it was called by.
    pub fn command(name: &[u8]) -> Self {
        let name = name.rsplit(|&b| b == b'/').next().unwrap_or(name);
        Self::Command { name: text(name) }
    }

    pub fn line(script: &[u8], line: usize) -> Self {
        Self::Line { script: text(script), line }
    }

    fn is_shell(&self) -> bool {
        matches!(self, Self::Command { name } if matches!(&**name, "sh" | "dash" | "bash"))
    }

    fn script(&self) -> Option<&str> {
        match self {
            Self::Line { script, .. } => Some(script),
            _ => None,
        }
    }
}

fn text(bytes: &[u8]) -> Box<str> {
    bytes.escape_ascii().to_string().into()
}

/// The chain in a line for people: `openssh-server postinst:112 → ucf:934 → cp`.
pub fn show(chain: &[Cause]) -> String {
    let mut shown = String::new();
    let Some((first, rest)) = chain.split_first() else { return shown };
    let mut rest = essential(rest);
    match first {
        Cause::Base => shown += "the empty root that packages are unpacked into",
        Cause::LayOut { package } | Cause::Unpack { package } => put(&mut shown, format_args!("package {package}")),
        Cause::Conffile { package } => put(&mut shown, format_args!("conffile of {package}")),
        Cause::Database { package: Some(package) } => {
            put(&mut shown, format_args!("dpkg's database, about {package}"));
        }
        Cause::Database { package: None } => shown += "dpkg's database",
        Cause::Preseed => shown += "debconf's answers in image.toml",
        Cause::Script { package, script, reason } => {
            if let Some(names) = reason.strip_prefix("triggered ") {
                put(&mut shown, format_args!("trigger {names}: "));
            }
            put(&mut shown, format_args!("{package} {script}"));
            if let Some(Cause::Line { script: path, line }) = rest.first()
                && path.ends_with(script)
            {
                put(&mut shown, format_args!(":{line}"));
                rest.remove(0);
            }
        }
        Cause::Policy { reason } => put(&mut shown, format_args!("policy: {reason}")),
        Cause::Overlay { overlay, step, action } => {
            put(&mut shown, format_args!("overlay {overlay} step {step} ({action})"));
            // The text of a step that is declared is nobody's own.
            if let Some(Cause::Line { line, .. }) = rest.first() {
                if *action == "script" {
                    put(&mut shown, format_args!(" line {line}"));
                }
                rest.remove(0);
            }
        }
        Cause::Build => shown += "icos build",
        Cause::Line { .. } | Cause::Command { .. } => rest.insert(0, first),
    }
    for cause in rest {
        let arrow = if shown.is_empty() { "" } else { " → " };
        match cause {
            Cause::Line { script, line } => {
                put(&mut shown, format_args!("{arrow}{}:{line}", script.rsplit('/').next().unwrap_or(script)));
            }
            Cause::Command { name } => put(&mut shown, format_args!("{arrow}{name}")),
            // Stages don't lie inside one another.
            _ => {}
        }
    }
    shown
}

fn put(shown: &mut String, what: std::fmt::Arguments<'_>) {
    shown.write_fmt(what).expect("a String takes everything");
}

/// The chain without what tells nobody anything: the lines that called a function of the same script, a shell where its
/// script's line follows, and how a script came to be run anew by debconf.
fn essential(chain: &[Cause]) -> Vec<&Cause> {
    let script = chain.iter().find_map(Cause::script);
    let again = |cause: &Cause| script.is_some() && cause.script() == script;
    let chain = &chain[chain.iter().rposition(again).unwrap_or(0)..];
    let told = |(index, cause): &(usize, &Cause)| match chain.get(index + 1) {
        Some(Cause::Line { script, .. }) => !cause.is_shell() && cause.script() != Some(script),
        _ => true,
    };
    chain.iter().enumerate().filter(told).map(|(_, cause)| cause).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(name: &str) -> Cause {
        Cause::command(name.as_bytes())
    }

    fn script(reason: &str) -> Cause {
        Cause::Script { package: "p".into(), script: "postinst", reason: reason.into() }
    }

    fn step(action: &'static str) -> Cause {
        Cause::Overlay { overlay: "o".into(), step: 7, action }
    }

    #[test]
    fn chains() {
        let check = |chain: &[Cause], expect: &str| assert_eq!(show(chain), expect);
        let line = |path: &str, line| Cause::line(path.as_bytes(), line);
        let postinst = |at| line("/var/lib/dpkg/info/p.postinst", at);
        check(&[], "");
        check(&[Cause::Unpack { package: "p".into() }], "package p");
        check(&[Cause::Database { package: None }], "dpkg's database");
        check(
            &[script("configure"), postinst(112), line("/usr/bin/ucf", 934), command("/bin/cp")],
            "p postinst:112 → ucf:934 → cp",
        );
        check(&[script("triggered t u"), postinst(3), command("ldconfig")], "trigger t u: p postinst:3 → ldconfig");
        let again = [
            script("configure"),
            postinst(2),
            line("/usr/share/debconf/confmodule", 10),
            command("frontend"),
            postinst(9),
            command("rm"),
        ];
        check(&again, "p postinst:9 → rm");
        check(&[step("replace"), command("sh"), line("sh", 3), command("cat")], "overlay o step 7 (replace) → cat");
        check(&[step("script"), command("sh"), line("sh", 3), command("rm")], "overlay o step 7 (script) line 3 → rm");
        let inside = [script("configure"), postinst(9), postinst(4), line("/usr/bin/ucf", 7), line("/usr/bin/ucf", 1)];
        check(&inside, "p postinst:4 → ucf:1");
        check(&[script("configure"), postinst(5), command("x"), command("frontend")], "p postinst:5 → x → frontend");
        check(&[line("a", 1), command("sh"), line("/b/c", 2)], "a:1 → c:2");
    }
}
