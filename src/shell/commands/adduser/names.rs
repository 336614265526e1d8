//! Which names adduser takes.

use regex::bytes::Regex;

use super::{Call, say, warn};
use crate::shell::{
    Process,
    stop::{Stop, show},
};

const DIGITS: &str = "To avoid ambiguity with numerical UIDs, usernames which
            consist of only digits are not allowed.";
const LONG: &str = "Usernames must be no more than 32 bytes in length;
            note that if you are using Unicode characters, the character
            limit will be less than 32.";
const LEAST: &str = "To avoid problems, the username must not start with a
            dash, plus sign, or tilde, and it must not contain any of the
            following: colon, comma, slash, or any whitespace characters
            including spaces, tabs, and newlines.";
const IEEE: &str = "To avoid problems, the username should consist only of
            letters, digits, underscores, periods, at signs and dashes, and
            not start with a dash (as defined by IEEE Std 1003.1-2001). For
            compatibility with Samba machine accounts, $ is also supported
            at the end of the username.  (Use the `--allow-all-names' option
            to bypass this restriction.)";

pub(super) fn check(process: &mut Process<'_>, call: &Call) -> Result<(), Stop> {
    let name = &call.name;
    let least = !matches!(name[0], b'-' | b'+' | b'~')
        && !name.iter().any(|b| matches!(b, b':' | b',' | b'/') || b.is_ascii_whitespace());
    let refusal = if name.iter().all(u8::is_ascii_digit) {
        Some(DIGITS)
    } else if name.len() > 32 {
        Some(LONG)
    } else if !least {
        Some(LEAST)
    } else {
        None
    };
    if let Some(message) = refusal {
        return refuse(process, message);
    }
    let variable = if call.arguments.has("system") { "SYS_NAME_REGEX" } else { "NAME_REGEX" };
    if matches(process, &String::from_utf8_lossy(call.config.text(&variable.to_ascii_lowercase())), name)? {
        return Ok(());
    }
    let all = call.arguments.has("allow-all-names");
    if !all && !matches(process, r"^[_.A-Za-z0-9][-@_.A-Za-z0-9]*\$?$", name)? {
        return refuse(process, IEEE);
    }
    if all || call.arguments.has("allow-bad-names") {
        say(process, call.verbose, "Allowing use of questionable username.")?;
        return Ok(());
    }
    let message = format!(
        "Please enter a username matching the regular expression
            configured via the {variable} configuration variable.  Use the
            `--allow-bad-names' option to relax this check or reconfigure
            {variable} in configuration."
    );
    refuse(process, &message)
}

fn refuse(process: &mut Process<'_>, message: &str) -> Result<(), Stop> {
    warn(process, message)?;
    Err(Stop::quiet(1))
}

/// Perl's patterns of this kind read the same here; one that doesn't is refused.
pub(super) fn matches(process: &Process<'_>, pattern: &str, text: &[u8]) -> Result<bool, Stop> {
    match Regex::new(pattern) {
        Ok(regex) => Ok(regex.is_match(text)),
        Err(_) => Err(process.not_modelled(format!("the pattern `{}`", show(pattern.as_bytes()))).into()),
    }
}
