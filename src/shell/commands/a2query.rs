//! a2query: what of Apache is enabled, and by whom. What the server itself would say is what the links and the package say.
//! Lists are in the order of names; the real program's are in that of the folder, which is none.

use crate::shell::{Fatal, Process, Status, dpkg, files::names, options};

const CONFIGURATION: &str = "/etc/apache2";
const STATE: &str = "/var/lib/apache2";
/// The module magic number of Apache 2.4.
const API: &str = "20120211";

/// Exit statuses.
const OFF_BY_ADMIN: Status = Status(32);
const OFF_BY_MAINT: Status = Status(33);

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = process.arguments();
    // The last option may lack its value, which then is nothing.
    if words.last().is_some_and(|word| matches!(word.as_slice(), b"-m" | b"-s" | b"-c")) {
        words.push(Vec::new());
    }
    let arguments = options::parse_list(process, words, &["m=", "s=", "c=", "a", "v", "M", "d", "q"])?;
    let quiet = arguments.has("q");
    let Some(modules) = enabled(process, "mods", ".load") else {
        let text = format!("{CONFIGURATION}/mods-enabled: No such file or directory\n");
        return fail(process, false, &text, Status::FAILURE);
    };
    let is_mpm = |name: &&String| ["mpm_event", "mpm_worker", "mpm_prefork"].iter().any(|mpm| name.contains(mpm));
    let mpms: Vec<&String> = modules.iter().filter(is_mpm).collect();
    if mpms.len() > 1 {
        let text = "There is more than one MPM loaded. Do not proceed due to undefined results\n";
        return fail(process, false, text, Status::FAILURE);
    }
    let mpm = mpms.first().and_then(|name| name.strip_prefix("mpm_")).unwrap_or("invalid").to_owned();
    for (option, kind, folder, suffix) in
        [("m", "module", "mods", ".load"), ("s", "site", "sites", ".conf"), ("c", "conf", "conf", ".conf")]
    {
        let Some(pattern) = arguments.value(option) else { continue };
        let Some(names) = enabled(process, folder, suffix) else {
            let text = format!("{CONFIGURATION}/{folder}-enabled: No such file or directory\n");
            return fail(process, quiet, &text, Status::FAILURE);
        };
        let pattern = String::from_utf8_lossy(pattern).into_owned();
        let status = query(process, kind, &pattern, &names, quiet)?;
        if !status.success() {
            return Ok(status);
        }
    }
    let mut out = String::new();
    if arguments.has("a") {
        out.push_str(&format!("{API}\n"));
    }
    if arguments.has("v") {
        let version = dpkg::upstream_version(process, "apache2")?;
        out.push_str(&format!("{version}\n"));
    }
    if arguments.has("M") {
        out.push_str(&format!("{mpm}\n"));
    }
    if arguments.has("d") {
        out.push_str("/usr/lib/apache2/modules/\n");
    }
    if arguments.options.is_empty() {
        return Err(process.not_modelled("help"));
    }
    if !quiet {
        process.out(out.as_bytes())?;
    }
    Ok(Status::SUCCESS)
}

fn fail(process: &mut Process<'_>, quiet: bool, text: &str, status: Status) -> Result<Status, Fatal> {
    if !quiet {
        process.write(2, text.as_bytes())?;
    }
    Ok(status)
}

fn enabled(process: &Process<'_>, folder: &str, suffix: &str) -> Option<Vec<String>> {
    let names = names(process, format!("{CONFIGURATION}/{folder}-enabled").as_bytes())?;
    let names = names.iter().filter_map(|name| std::str::from_utf8(name).ok()?.strip_suffix(suffix));
    Some(names.map(str::to_owned).collect())
}

fn query(process: &mut Process<'_>, kind: &str, pattern: &str, names: &[String], quiet: bool) -> Result<Status, Fatal> {
    let pattern = pattern.strip_prefix("mod").unwrap_or(pattern);
    let pattern = pattern.trim_end_matches(".conf").trim_end_matches(".load");
    let found: Vec<&String> = names.iter().filter(|name| pattern.is_empty() || *name == pattern).collect();
    for name in &found {
        let by = match history(process, kind, "enabled", name) {
            Some("maint") => "maintainer script",
            Some(_) => "site administrator",
            None => "unknown",
        };
        if !quiet {
            process.out(format!("{name} (enabled by {by})\n").as_bytes())?;
        }
    }
    if !found.is_empty() {
        return Ok(Status::SUCCESS);
    }
    let (by, status) = match history(process, kind, "disabled", pattern) {
        Some("maint") => (" (disabled by maintainer script)", OFF_BY_MAINT),
        Some(_) => (" (disabled by site administrator)", OFF_BY_ADMIN),
        None => ("", Status::FAILURE),
    };
    fail(process, quiet, &format!("No {kind} matches {pattern}{by}\n"), status)
}

/// Who has made it so.
fn history(process: &Process<'_>, kind: &str, what: &str, name: &str) -> Option<&'static str> {
    let marker = |by: &str| format!("{STATE}/{kind}/{what}_by_{by}/{name}");
    ["maint", "admin"].into_iter().find(|by| process.lookup(marker(by).as_bytes()).is_ok())
}
