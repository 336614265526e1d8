//! A maintainer script that is left out, and why.

use std::{fmt, str::FromStr};

use crate::nearest::nearest;

/// The scripts that an installation runs, and that can be left out.
pub const SCRIPTS: [&str; 2] = ["preinst", "postinst"];

/// One script that is not run, and why: the reason is mandatory, and the lock and the report repeat it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    pub package: String,
    /// `preinst` or `postinst`.
    pub script: String,
    pub reason: String,
}

/// Why something is no skip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSkip {
    #[error("expected `PACKAGE:SCRIPT=REASON`, found `{0}`")]
    Form(String),
    #[error("{script} of package `{package}` is skipped without a reason")]
    NoReason { package: String, script: String },
    #[error("package `{package}`: `{script}` is no script that is run when a package is installed{}", meant(script))]
    Script { package: String, script: String },
    #[error("{script} of package `{package}` is skipped twice")]
    Twice { package: String, script: String },
}

fn meant(script: &str) -> String {
    match nearest(script, SCRIPTS, 1).first() {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; `preinst` and `postinst` are".to_owned(),
    }
}

impl Skip {
    pub fn check(&self) -> Result<(), BadSkip> {
        let (package, script) = (self.package.clone(), self.script.clone());
        if !SCRIPTS.contains(&script.as_str()) {
            return Err(BadSkip::Script { package, script });
        }
        if self.reason.trim().is_empty() {
            return Err(BadSkip::NoReason { package, script });
        }
        Ok(())
    }
}

/// Checks skips that are to hold together.
pub fn check<'a>(skips: impl IntoIterator<Item = &'a Skip>) -> Result<(), BadSkip> {
    let mut seen = std::collections::BTreeSet::new();
    for skip in skips {
        skip.check()?;
        if !seen.insert((&skip.package, &skip.script)) {
            return Err(BadSkip::Twice { package: skip.package.clone(), script: skip.script.clone() });
        }
    }
    Ok(())
}

/// As the command line has it: `PACKAGE:SCRIPT=REASON`.
impl FromStr for Skip {
    type Err = BadSkip;

    fn from_str(text: &str) -> Result<Self, BadSkip> {
        let form = || BadSkip::Form(text.chars().take(80).collect());
        let (what, reason) = text.split_once('=').unwrap_or((text, ""));
        let (package, script) = what.split_once(':').filter(|(package, _)| !package.is_empty()).ok_or_else(form)?;
        let skip = Self { package: package.to_owned(), script: script.to_owned(), reason: reason.trim().to_owned() };
        skip.check()?;
        Ok(skip)
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}: {}", self.script, self.package, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_typed() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let got = text.parse::<Skip>().map(|skip| skip.to_string()).map_err(|error| error.to_string());
            assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned), "{text}");
        };
        check("a:postinst=it = odd: very", Ok("postinst of a: it = odd: very"));
        check("a:postinst= b ", Ok("postinst of a: b"));
        check("a:postinst", Err("postinst of package `a` is skipped without a reason"));
        check("a:postinst= \t", Err("postinst of package `a` is skipped without a reason"));
        check("a", Err("expected `PACKAGE:SCRIPT=REASON`, found `a`"));
        check(":postinst=b", Err("expected `PACKAGE:SCRIPT=REASON`, found `:postinst=b`"));
        let unknown = "is no script that is run when a package is installed";
        check("a:postint=b", Err(&format!("package `a`: `postint` {unknown}; did you mean `postinst`?")));
        check("a:prerm=b", Err(&format!("package `a`: `prerm` {unknown}; `preinst` and `postinst` are")));
    }
}
