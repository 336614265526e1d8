//! `dpkg-reconfigure` without questions: a package's scripts once more, with the answers that debconf has.

use super::{
    super::{
        Fatal, Process, Status,
        dpkg::{self, Stop},
        options,
        stop::show,
    },
    frontend::{preferences, talk},
};
use crate::{
    debconf::{Databases, Session, Templates},
    dpkg::{state::State, triggers::UNINCORPORATED},
};

const OPTIONS: &[&str] = &["f frontend=", "p priority=", "u unseen-only", "default-priority", "force"];

/// What is known of an installed package.
struct Package {
    name: String,
    architecture: String,
    version: String,
    /// Path of its control files, up to their kind.
    info: Vec<u8>,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, OPTIONS)?;
    let frontend = arguments.value("f").or(process.variable("DEBIAN_FRONTEND"));
    if frontend.is_none_or(|frontend| !frontend.eq_ignore_ascii_case(b"noninteractive")) {
        return Err(process.not_modelled("a frontend that asks"));
    }
    if process.machine.dpkg.is_some() || process.machine.debconf.is_some() {
        return Err(process.not_modelled("reconfiguring while packages are installed"));
    }
    if arguments.operands.is_empty() {
        process.complain("please specify a package to reconfigure")?;
        return Ok(Status::FAILURE);
    }
    let priority = arguments.value("p").map_or(b"low".to_vec(), <[u8]>::to_vec);
    process.environment.insert(b"DEBIAN_PRIORITY".to_vec(), priority);
    process.environment.insert(b"DEBCONF_RECONFIGURE".to_vec(), b"1".to_vec());
    process.environment.insert(b"DEBIAN_FRONTEND".to_vec(), b"noninteractive".to_vec());
    process.folder = crate::tree::TreePath::root();
    for operand in &arguments.operands {
        let status = match package(process, operand)? {
            Ok(package) => scripts(process, &package)?,
            Err(message) => {
                process.complain(&message)?;
                Status::FAILURE
            }
        };
        if !status.success() {
            return Ok(status);
        }
    }
    if process.machine.tree.read(UNINCORPORATED).is_ok_and(|text| !text.is_empty()) {
        return Err(process.not_modelled("a trigger that a reconfigured package activates"));
    }
    Ok(Status::SUCCESS)
}

fn package(process: &mut Process<'_>, operand: &[u8]) -> Result<Result<Package, String>, Fatal> {
    let text = show(operand);
    let found = dpkg::with_packages(process, |_, database| {
        let Some(id) = database.named(&text) else { return Ok(Err(format!("{text} is not installed"))) };
        let package = database.get(id);
        if package.state != State::Installed {
            return Ok(Err(format!("{text} is broken or not fully installed")));
        }
        Ok(Ok(Package {
            name: package.name.clone(),
            architecture: package.architecture.clone(),
            version: package.version.as_str().to_owned(),
            info: database.info_path(id, ""),
        }))
    });
    match found {
        Ok(found) => Ok(found),
        Err(Stop::Fatal(fatal)) => Err(fatal),
        Err(Stop::Error(message)) => Ok(Err(message)),
    }
}

fn scripts(process: &mut Process<'_>, package: &Package) -> Result<Status, Fatal> {
    let steps = [("prerm", "upgrade"), ("preinst", "upgrade"), ("config", "reconfigure"), ("postinst", "configure")];
    for (kind, verb) in steps {
        let path = [package.info.as_slice(), kind.as_bytes()].concat();
        let Ok(text) = process.machine.tree.read(&path) else { continue };
        if process.machine.tree.find(&path).is_none_or(|inode| inode.stat.mode & 0o111 == 0) {
            continue;
        }
        let variables = [("PACKAGE", package.name.as_str()), ("ARCH", &package.architecture), ("NAME", kind)];
        for (name, value) in variables {
            let name = format!("DPKG_MAINTSCRIPT_{name}").into_bytes();
            process.environment.insert(name, value.as_bytes().to_vec());
        }
        let argv = vec![path, verb.into(), package.version.clone().into_bytes()];
        let talks = kind == "config" || text.to_ascii_lowercase().windows(10).any(|part| part == b"confmodule");
        let status = if talks { converse(process, package, argv)? } else { process.run(argv)? };
        if !status.success() {
            return Ok(status);
        }
    }
    Ok(Status::SUCCESS)
}

/// Runs a script that asks debconf; the answers are kept when it succeeds.
fn converse(process: &mut Process<'_>, package: &Package, argv: Vec<Vec<u8>>) -> Result<Status, Fatal> {
    let refuse = |process: &mut Process<'_>, text: String| {
        process.complain(&text)?;
        Ok(Status::FAILURE)
    };
    let databases = match Databases::read(&process.machine.tree) {
        Ok(databases) => databases,
        Err(error) => return refuse(process, error.to_string()),
    };
    let mut session = Session::new(databases, package.name.as_bytes(), preferences(process));
    let path = [package.info.as_slice(), b"templates"].concat();
    if let Ok(bytes) = process.machine.tree.read(&path) {
        match Templates::parse(&bytes) {
            Ok(templates) => session.load(&templates),
            Err(error) => return refuse(process, format!("{}: {error}", path.escape_ascii())),
        }
    }
    process.machine.debconf = Some(session);
    let outcome = talk(process, argv);
    let session = process.machine.debconf.take();
    let status = outcome?;
    if let Some(session) = session.filter(|_| status.success()) {
        let now = process.machine.epoch.timestamp();
        if let Err(error) = session.into_databases().write(&mut process.machine.tree, now) {
            return refuse(process, error.to_string());
        }
    }
    Ok(status)
}
