//! `dpkg-trigger`: notes the activation of a trigger, for dpkg to take up when the script has ended.

use super::super::{
    Fatal, Process, Status,
    dpkg::{self, Stop, error},
};
use crate::dpkg::triggers::{self, UNINCORPORATED};

const OPTIONS: &[&str] = &["check-supported", "by-package f=", "await", "no-await", "no-act"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let outcome = act(process);
    dpkg::end(process, outcome)
}

fn act(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = dpkg::arguments(process, OPTIONS)?;
    if arguments.has("check-supported") {
        return Ok(Status(u8::from(process.machine.tree.find(UNINCORPORATED).is_none())));
    }
    let [name] = arguments.operands.as_slice() else { return error("takes one argument, the trigger name") };
    let awaits = arguments.action(&["await", "no-await"]) != Some("no-await");
    let awaiting = match arguments.value("by-package") {
        _ if !awaits => None,
        Some(b"-") => None,
        Some(package) => Some(String::from_utf8_lossy(package).into_owned()),
        None => Some(running_package(process)?),
    };
    let name = String::from_utf8_lossy(name).into_owned();
    if triggers::is_path(&name).is_none() {
        return error(format!("invalid trigger name '{name}'"));
    }
    let bytes = dpkg::read_database(process, UNINCORPORATED)?;
    let mut activations =
        triggers::parse_activations(&bytes).or_else(|fault| error(format!("triggers deferred file: {fault}")))?;
    triggers::activate(&mut activations, &name, awaiting);
    if !arguments.has("no-act") {
        dpkg::write_database(process, UNINCORPORATED, triggers::render_activations(&activations).into_bytes())?;
    }
    Ok(Status::SUCCESS)
}

/// The package whose script is running, qualified when several architectures of it can be installed.
fn running_package(process: &Process<'_>) -> Result<String, Stop> {
    let variable = |name| process.variable(name).map(|value| String::from_utf8_lossy(value).into_owned());
    let (Some(package), Some(architecture)) = (variable("DPKG_MAINTSCRIPT_PACKAGE"), variable("DPKG_MAINTSCRIPT_ARCH"))
    else {
        return error("must be called from a maintainer script (or with a --by-package option)");
    };
    let qualified = format!("{package}:{architecture}");
    let list = format!("/var/lib/dpkg/info/{qualified}.list");
    Ok(if process.machine.tree.find(list.as_bytes()).is_some() { qualified } else { package })
}
