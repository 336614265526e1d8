//! `/usr/share/debconf/frontend`: runs a package's configuration script and then the script itself, both talking to debconf.

use super::super::{Fatal, Launch, OpenFile, Process, Status, exec};
use crate::debconf::{Databases, Preferences, Session, Templates};

/// The control file of the package whose preinst is running.
const CONTROL: &[u8] = b"/var/lib/dpkg/tmp.ci/control";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = process.arguments();
    if arguments.first().is_some_and(|first| first == b"--") {
        arguments.remove(0);
    }
    let Some(script) = arguments.first().cloned() else { return Err(process.not_modelled("no script")) };
    if process.variable("DEBIAN_FRONTEND").is_some_and(|frontend| frontend != b"noninteractive") {
        return Err(process.not_modelled("a frontend that asks"));
    }
    if process.machine.debconf.is_some() {
        return fail(process, "DbDriver \"config\": /var/cache/debconf/config.dat is locked by another process");
    }
    let databases = match Databases::read(&process.machine.tree) {
        Ok(databases) => databases,
        Err(error) => return fail(process, &error.to_string()),
    };
    let package = package(process, &script);
    let mut session = Session::new(databases, &package, preferences(process));
    if let Some(base) = maintainer_script(&script) {
        let path = [base, b"templates".as_slice()].concat();
        if let Ok(bytes) = process.machine.tree.read(&path) {
            match Templates::parse(&bytes) {
                Ok(templates) => session.load(&templates),
                Err(error) => return fail(process, &format!("{}: {error}", path.escape_ascii())),
            }
        }
    }
    process.machine.debconf = Some(session);
    let outcome = converse(process, &script, arguments);
    let session = process.machine.debconf.take();
    let (status, save) = outcome?;
    if let Some(session) = session.filter(|_| save) {
        let now = process.machine.epoch.timestamp();
        let written = session.into_databases().write(&mut process.machine.tree, now);
        if let Err(error) = written {
            return fail(process, &error.to_string());
        }
    }
    Ok(status)
}

fn fail(process: &mut Process<'_>, text: &str) -> Result<Status, Fatal> {
    process.write(2, format!("debconf: {text}\n").as_bytes())?;
    Ok(Status(1))
}

pub(super) fn preferences(process: &Process<'_>) -> Preferences {
    Preferences {
        priority: process.variable("DEBIAN_PRIORITY").map(<[u8]>::to_vec),
        mark_seen: process.variable("DEBCONF_NONINTERACTIVE_SEEN") == Some(b"true"),
    }
}

/// Runs the configuration script, if there is one, and the script; the flag says whether the answers are kept.
fn converse(process: &mut Process<'_>, script: &[u8], arguments: Vec<Vec<u8>>) -> Result<(Status, bool), Fatal> {
    if let Some(base) = maintainer_script(script).filter(|_| !is_removal(script)) {
        let config = [base, b"config".as_slice()].concat();
        if process.machine.tree.find(&config).is_some() {
            let version = arguments.get(2).cloned().unwrap_or_default();
            let status = talk(process, vec![config, b"configure".to_vec(), version])?;
            if !status.success() {
                return Ok((status, false));
            }
        }
    }
    Ok((talk(process, arguments)?, true))
}

/// Runs a script whose standard input and output are the conversation.
pub(super) fn talk(process: &mut Process<'_>, argv: Vec<Vec<u8>>) -> Result<Status, Fatal> {
    let mut environment = process.environment.clone();
    environment.insert(b"DEBIAN_HAS_FRONTEND".to_vec(), b"1".to_vec());
    let mut descriptors = process.descriptors.clone();
    let conversation = OpenFile::debconf();
    descriptors.insert(0, conversation.clone());
    descriptors.insert(1, conversation);
    let launch = Launch { argv, environment, folder: process.folder.clone(), umask: process.umask, descriptors };
    let status = exec::execute(process.machine, launch);
    if let Some(session) = &mut process.machine.debconf {
        session.next_script();
    }
    status
}

/// What comes before the script's kind in the path of a maintainer script.
fn maintainer_script(script: &[u8]) -> Option<&[u8]> {
    let base =
        [b"preinst".as_slice(), b"postinst", b"prerm", b"postrm"].iter().find_map(|kind| script.strip_suffix(*kind))?;
    matches!(base.last(), Some(b'.' | b'/')).then_some(base)
}

fn is_removal(script: &[u8]) -> bool {
    script.ends_with(b"prerm") || script.ends_with(b"postrm")
}

/// The package that a script belongs to.
fn package(process: &Process<'_>, script: &[u8]) -> Vec<u8> {
    if let Some(package) = process.variable("DEBCONF_PACKAGE").filter(|name| !name.is_empty()) {
        return package.to_vec();
    }
    if let Some((_, name)) = split_last(script) {
        let kinds = [b".postinst".as_slice(), b".postrm", b".prerm"];
        if let Some(package) = kinds.iter().find_map(|kind| name.strip_suffix(*kind)) {
            return package.to_vec();
        }
    }
    let control = process.machine.tree.read(CONTROL).unwrap_or_default();
    let mut lines = control.split(|&b| b == b'\n');
    lines.find_map(|line| line.strip_prefix(b"Package: ")).unwrap_or_default().to_vec()
}

fn split_last(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|&b| b == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
}
