//! Running one maintainer script: its environment, its arguments, its end.

use super::{Cause, Error, Run, ScriptRun};
use crate::{
    cause,
    dpkg::{
        database::{self, PackageId},
        state::State,
    },
    shell::{Call, Environment, Fatal, ScriptError, Status, run_script},
    store::Layer,
    tree::{Node, Stat},
};

/// Where dpkg keeps a package's control files while it unpacks it.
const CONTROL: &[u8] = b"/var/lib/dpkg/tmp.ci";

/// The version that dpkg says it is when the target has no dpkg.
const DPKG_VERSION: &str = "1.21.22";

/// What every script's environment has: an administrator's, the same on every machine.
pub fn environment() -> Vec<(String, String)> {
    let variables = [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/root"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("DEBIAN_FRONTEND", "noninteractive"),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Run<'_> {
    /// Runs a package's preinst, with its control files where dpkg has them at that time.
    pub(super) fn preinst(&mut self, id: PackageId, layer: &Layer) -> Result<(), Error> {
        if !layer.control.contains_key(b"preinst".as_slice()) {
            return Ok(());
        }
        let now = self.options.epoch.timestamp();
        let package: Box<str> = self.package(id).name.as_str().into();
        let tree = &mut self.machine.tree;
        tree.enter(|| cause::Cause::Database { package: Some(package.clone()) });
        tree.create_dir_all(CONTROL, &Stat::root(0o755, now))?;
        for (name, file) in &layer.control {
            let path = [CONTROL, b"/", name.as_bytes()].concat();
            let node = Node::Regular(file.content.clone().into());
            tree.create(&path, Stat::root(file.mode, now), node)?;
        }
        tree.leave();
        let path = [CONTROL, b"/preinst".as_slice()].concat();
        self.script(id, "preinst", &path, &["install".to_owned()])?;
        self.machine.tree.enter(|| cause::Cause::Database { package: Some(package) });
        self.machine.tree.remove_all(CONTROL)?;
        self.machine.tree.leave();
        self.incorporate()
    }

    /// Runs an installed package's postinst, if it has one.
    pub(super) fn postinst(&mut self, id: PackageId, arguments: &[String]) -> Result<(), Error> {
        let path = self.database().info_path(id, "postinst");
        if self.machine.tree.find(&path).is_none() {
            return Ok(());
        }
        self.script(id, "postinst", &path, arguments)
    }

    fn script(&mut self, id: PackageId, script: &'static str, path: &[u8], arguments: &[String]) -> Result<(), Error> {
        let package = self.package(id).name.clone();
        let skip = self.options.skips.iter().find(|skip| skip.package == package && skip.script == script);
        if let Some(skip) = skip {
            if !self.report.skipped.contains(skip) {
                self.report.skipped.push(skip.clone());
            }
            return self.try_skipped(id, script, path, arguments);
        }
        if self.has_failed(id, script) {
            return Ok(());
        }
        self.machine.tree.enter(|| cause::Cause::Script {
            package: package.as_str().into(),
            script,
            reason: arguments.join(" ").trim_end().into(),
        });
        let (ended, output) = self.attempt(id, script, path, arguments)?;
        self.machine.tree.leave();
        let cause = match ended {
            Ok(status) if status.success() => {
                let arguments = arguments.to_vec();
                self.report.scripts.push(ScriptRun { package, script, arguments, output });
                return Ok(());
            }
            Ok(status) => Cause::Status(status.0),
            Err(fatal) => Cause::Fatal(Box::new(fatal)),
        };
        if self.note_failure(id, script, arguments, &cause, &output) {
            return Ok(());
        }
        match cause {
            Cause::Status(status) => Err(Error::Failed { package, script, status, output }),
            Cause::Fatal(source) => Err(Error::Fatal { package, script, source, output }),
        }
    }

    /// Runs a script: how it ends, and what it writes.
    pub(super) fn attempt(
        &mut self,
        id: PackageId,
        script: &'static str,
        path: &[u8],
        arguments: &[String],
    ) -> Result<(Result<Status, Fatal>, Vec<u8>), Error> {
        let (inode, real) = self.machine.tree.resolve(path)?;
        if self.machine.tree.get(inode).stat.mode & 0o555 != 0o555 {
            self.machine.tree.stat_mut(inode).mode = 0o755;
        }
        let arguments: Vec<Vec<u8>> = arguments.iter().map(|argument| argument.clone().into_bytes()).collect();
        let environment = self.script_environment(id, script);
        let call = Call { path, arguments: &arguments, environment: &environment, input: b"", together: true };
        let (ended, output) = match run_script(&mut self.machine, &call) {
            Ok(outcome) => (Ok(outcome.status), outcome.output),
            Err(ScriptError::Fatal { fatal, output, .. }) => match fatal {
                Fatal::UnknownCommand(program) if program == real.as_bytes() => {
                    (Err(self.foreign(script, path)), output)
                }
                fatal => (Err(fatal), output),
            },
            Err(ScriptError::Path(error)) => return Err(error.into()),
            Err(error @ ScriptError::Thread(_)) => return Err(Error::Thread(error.to_string())),
        };
        let ended = ended.and_then(|status| self.machine.settle_ids().map(|()| status));
        // Without dpkg's database there is no going on, not even in a rehearsal.
        if self.machine.tree.find(database::INFO).is_none() {
            return Err(Error::Removed { package: self.package(id).name.clone(), script, path: database::INFO });
        }
        Ok((ended, output))
    }

    /// Why a script that is itself no shell script can't be run.
    fn foreign(&self, script: &str, path: &[u8]) -> Fatal {
        let text = self.machine.tree.read(path).unwrap_or_default();
        let first = text.split(|&b| b == b'\n').next().unwrap_or_default();
        let what = match first.strip_prefix(b"#!") {
            Some(interpreter) => format!("the interpreter `{}`", interpreter.trim_ascii_start().escape_ascii()),
            None => "a program that is no script".to_owned(),
        };
        Fatal::NotModelled { command: script.to_owned(), what }
    }

    fn script_environment(&self, id: PackageId, script: &str) -> Environment {
        let database = self.database();
        let package = database.get(id);
        let instances = database.instances(&package.name);
        let installed = instances.iter().filter(|id| database.get(**id).state != State::NotInstalled).count();
        let dpkg = database.instances("dpkg").first().map(|id| database.get(*id).version.upstream());
        let own = [
            ("SOURCE_DATE_EPOCH", self.options.epoch.seconds().to_string()),
            ("DPKG_ADMINDIR", "/var/lib/dpkg".to_owned()),
            ("DPKG_FORCE", "security-mac,downgrade".to_owned()),
            ("DPKG_ROOT", String::new()),
            ("DPKG_RUNNING_VERSION", dpkg.unwrap_or(DPKG_VERSION).to_owned()),
            ("DPKG_MAINTSCRIPT_PACKAGE", package.name.clone()),
            ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", installed.to_string()),
            ("DPKG_MAINTSCRIPT_ARCH", package.architecture.clone()),
            ("DPKG_MAINTSCRIPT_NAME", script.to_owned()),
            ("DPKG_MAINTSCRIPT_DEBUG", "0".to_owned()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        environment().into_iter().chain(own).map(|(name, value)| (name.into_bytes(), value.into_bytes())).collect()
    }
}
