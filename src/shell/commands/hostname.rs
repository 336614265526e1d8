//! hostname: the name in `/etc/hostname`; scripts can't change the running one.

use crate::shell::{Fatal, Process, Status, options::parse};

/// The system's name, `localhost` when the tree has none.
pub(super) fn name(process: &Process<'_>) -> String {
    let text = process.machine.tree.read(b"/etc/hostname").unwrap_or_default();
    let lines = String::from_utf8_lossy(&text).into_owned();
    let name = lines.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    name.unwrap_or("localhost").to_owned()
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["f fqdn long", "s short", "d domain"])?;
    if !arguments.operands.is_empty() {
        return Err(process.not_modelled("setting the name"));
    }
    let whole = name(process);
    let (short, domain) = whole.split_once('.').unwrap_or((&whole, ""));
    let shown = match arguments.last_of(&["f", "s", "d"]) {
        Some("s") => short,
        Some("d") => domain,
        _ => &whole,
    };
    process.out(format!("{shown}\n").as_bytes())?;
    Ok(Status::SUCCESS)
}
