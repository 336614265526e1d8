//! Packages installed into an empty root as dpkg would: everything unpacked, then everything configured, scripts interpreted.
//!
//! The order is that of `dpkg --force-depends --unpack` of all packages by file name, `dpkg --configure` of what the others may
//! use without a dependency ([`first`]), then `dpkg --configure --pending`: one that dpkg itself takes, so that the tree can be
//! compared with the one that dpkg makes. Only a first installation is done: no upgrade, no removal.

use crate::{
    cause,
    deb::control::{self, Comments},
    debconf::{self, DatabaseError, Databases, PreseedError},
    dpkg::{
        database::{self, Database, PackageId, Qualified},
        package::Package,
        state::{Flag, State, Want},
        triggers::{self, TriggerError},
    },
    epoch::Epoch,
    manifest::{image::Ids, skip::SCRIPTS},
    nearest::nearest,
    progress::Advance,
    shell::{Fatal, Limits, Machine},
    store::Layer,
    tree::{PathError, Stat, Tree},
    unpack::{self, Fault, Owners},
};

mod awaiting;
mod conffile;
mod cycle;
mod depend;
mod first;
mod policy;
mod queue;
mod rehearsal;
mod script;
mod trigger;

pub use crate::manifest::skip::Skip;
pub use policy::{POLICY, not_made};
pub use rehearsal::{Cause, Failure, Rehearsal, rehearse};
pub use script::environment;

/// What an installation depends on besides its packages.
#[derive(Clone, Debug)]
pub struct Options {
    pub epoch: Epoch,
    /// Debian's name of the target's architecture.
    pub architecture: String,
    /// Others whose packages may be installed beside its own.
    pub foreign: Vec<String>,
    /// What `uname -r` says to scripts.
    pub kernel_release: String,
    /// Answers for debconf, in the lines of debconf-set-selections(1).
    pub preseed: Vec<u8>,
    /// Scripts that are not run.
    pub skips: Vec<Skip>,
    /// Numbers that accounts are to have.
    pub ids: Ids,
    /// Bounds of each script.
    pub limits: Limits,
    /// Keep a journal of who changed what in the tree.
    pub journal: bool,
}

/// A configured tree.
#[derive(Debug)]
pub struct Installed {
    pub tree: Tree,
    pub report: Report,
}

/// What happened on the way.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Packages in the order in which they were configured.
    pub configured: Vec<String>,
    /// Scripts in the order in which they ran.
    pub scripts: Vec<ScriptRun>,
    pub skipped: Vec<Skip>,
}

/// One run of a maintainer script.
#[derive(Clone, Debug)]
pub struct ScriptRun {
    pub package: String,
    pub script: &'static str,
    pub arguments: Vec<String>,
    /// What it wrote to its standard output and error.
    pub output: Vec<u8>,
}

/// Why packages can't be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Unpack(#[from] unpack::Error),
    #[error(transparent)]
    Tree(#[from] PathError),
    #[error(transparent)]
    Debconf(#[from] DatabaseError),
    #[error("preseed: {0}")]
    Preseed(#[from] PreseedError),
    #[error("package {0} twice")]
    Twice(String),
    #[error("package {package} of architecture {architecture}, which the system is not")]
    Architecture { package: String, architecture: String },
    #[error("packages {package} and {other} conflict")]
    Conflict { package: String, other: String },
    #[error("{script} of package {package} has status {status}{}", tail(output))]
    Failed { package: String, script: &'static str, status: u8, output: Vec<u8> },
    #[error("{script} of package {package}: {source}{}", tail(output))]
    Fatal { package: String, script: &'static str, source: Box<Fatal>, output: Vec<u8> },
    #[error("{script} of package {package} has removed {}, which dpkg keeps its database in", path.escape_ascii())]
    Removed { package: String, script: &'static str, path: &'static [u8] },
    #[error("{0}")]
    Thread(String),
    #[error("package {package} can't be configured:{problems}")]
    Dependencies { package: String, problems: String },
    #[error("packages wait for each other's triggers: {}", .0.join(", "))]
    TriggerCycle(Vec<String>),
    #[error("package {package} remains {state}")]
    Unfinished { package: String, state: State },
    #[error("{}: {source}", path.escape_ascii())]
    Triggers { path: Vec<u8>, source: TriggerError },
    #[error("skipped script: there is no package {package}")]
    UnknownPackage { package: String, nearest: Vec<String> },
    #[error("skipped script: package {package} has no {script}{}", instead(has))]
    UnknownSkip { package: String, script: String, has: Vec<&'static str> },
}

impl Error {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownPackage { nearest, .. } if !nearest.is_empty() => {
                Some(format!("did you mean `{}`?", nearest.join("` or `")))
            }
            _ => None,
        }
    }
}

/// What a package has instead.
fn instead(scripts: &[&str]) -> String {
    if scripts.is_empty() { String::new() } else { format!(", it has {}", scripts.join(" and ")) }
}

/// The last lines that a script wrote.
pub fn last_lines(output: &[u8]) -> Vec<String> {
    const LINES: usize = 12;
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

fn tail(output: &[u8]) -> String {
    last_lines(output).iter().map(|line| format!("\n    {line}")).collect()
}

/// An installation under way.
struct Run<'a> {
    machine: Machine,
    options: &'a Options,
    owners: Owners,
    queue: queue::Queue,
    awaiting: awaiting::Awaiting,
    report: Report,
    advance: Advance<'a>,
    /// What a rehearsal has noted; `None` when a failure ends the run.
    notes: Option<rehearsal::Notes>,
}

type Packages<'l> = Vec<(Package, &'l Layer)>;

/// Installs packages into an empty root. Their order in the list doesn't matter. `advance` is told of every package that is
/// configured.
pub fn install(layers: &[Layer], options: &Options, advance: Advance<'_>) -> Result<Installed, Error> {
    let packages = sorted_packages(layers, options)?;
    let mut run = Run::new(&packages, options, advance)?;
    run.all(packages)?;
    run.finish()
}

/// The packages in dpkg's order.
fn sorted_packages<'l>(layers: &'l [Layer], options: &Options) -> Result<Packages<'l>, Error> {
    let mut packages = read_packages(layers)?;
    packages.sort_by_cached_key(|(package, _)| file_name(package));
    check_skips(&packages, options)?;
    Ok(packages)
}

/// Each package's control file beside its layer.
fn read_packages(layers: &[Layer]) -> Result<Packages<'_>, Error> {
    let mut packages = Packages::new();
    for (index, layer) in layers.iter().enumerate() {
        let failed = |source| unpack::Error::Package { package: format!("number {}", index + 1), source };
        let text = unpack::control_text(layer).ok_or_else(|| failed(Fault::NoControl))?;
        let paragraph = control::paragraph(text, Comments::Refuse).map_err(|error| failed(error.into()))?;
        let package = Package::from_control(&paragraph).map_err(|error| failed(error.into()))?;
        packages.push((package, layer));
    }
    Ok(packages)
}

/// The name of the file that a package comes in, as archives and apt's cache have it.
fn file_name(package: &Package) -> String {
    let version = package.version.as_str().replace(':', "%3a");
    format!("{}_{version}_{}.deb", package.name, package.architecture)
}

fn check_skips(packages: &Packages<'_>, options: &Options) -> Result<(), Error> {
    for Skip { package, script, .. } in &options.skips {
        let named: Vec<&Layer> = packages.iter().filter(|(known, _)| known.name == *package).map(|(_, l)| *l).collect();
        if named.is_empty() {
            let close = nearest(package, packages.iter().map(|(known, _)| known.name.as_str()), 3);
            let nearest = close.into_iter().map(str::to_owned).collect();
            return Err(Error::UnknownPackage { package: package.clone(), nearest });
        }
        let has = |script: &str| named.iter().any(|layer| layer.control.contains_key(script.as_bytes()));
        if !SCRIPTS.contains(&script.as_str()) || !has(script) {
            let has = SCRIPTS.into_iter().filter(|script| has(script)).collect();
            return Err(Error::UnknownSkip { package: package.clone(), script: script.clone(), has });
        }
    }
    Ok(())
}

impl<'a> Run<'a> {
    /// A root in which the packages' contents lie ready.
    fn new(packages: &Packages<'_>, options: &'a Options, advance: Advance<'a>) -> Result<Self, Error> {
        let base = unpack::base(options.epoch.timestamp())?;
        let mut machine = Machine::new(base, options.epoch, &options.architecture, options.limits);
        if options.journal {
            machine.tree.keep_journal(cause::Cause::Base);
        }
        machine.kernel_release.clone_from(&options.kernel_release);
        machine.ids.clone_from(&options.ids);
        for (package, layer) in packages {
            unpack::lay_out(&mut machine.tree, &package.name, layer)?;
        }
        let mut run = Self {
            machine,
            options,
            owners: Owners::default(),
            queue: queue::Queue::default(),
            awaiting: awaiting::Awaiting::default(),
            report: Report::default(),
            advance,
            notes: None,
        };
        run.prepare()?;
        Ok(run)
    }

    /// Unpacks everything, then configures everything: first what others may use without saying so.
    fn all(&mut self, packages: Packages<'_>) -> Result<(), Error> {
        for (package, layer) in packages {
            self.unpack(package, layer)?;
        }
        let first = self.first();
        self.configure_all(&first)?;
        while self.configure_pending()? {}
        Ok(())
    }
}

impl Run<'_> {
    fn database(&self) -> &Database {
        self.machine.dpkg.as_ref().expect("the database is there from the beginning to the end of a run")
    }

    fn database_mut(&mut self) -> &mut Database {
        self.machine.dpkg.as_mut().expect("the database is there from the beginning to the end of a run")
    }

    fn package(&self, id: PackageId) -> &Package {
        self.database().get(id)
    }

    fn name(&self, id: PackageId) -> String {
        self.database().name(id, Qualified::IfAmbiguous)
    }

    /// Makes what dpkg and the scripts expect before the first package.
    fn prepare(&mut self) -> Result<(), Error> {
        let now = self.options.epoch.timestamp();
        let (folder, file) = (Stat::root(0o755, now), Stat::root(0o644, now));
        let tree = &mut self.machine.tree;
        tree.enter(|| cause::Cause::Database { package: None });
        for path in [database::INFO, b"/var/lib/dpkg/updates", triggers::FOLDER] {
            tree.create_dir_all(path, &folder)?;
        }
        let Options { architecture, foreign, .. } = self.options;
        let architectures: String =
            std::iter::once(architecture).chain(foreign).map(|name| format!("{name}\n")).collect();
        let files: [(&[u8], Vec<u8>); 4] = [
            (database::STATUS, Vec::new()),
            (database::ARCH, architectures.into_bytes()),
            (database::FORMAT, b"1\n".to_vec()),
            (triggers::UNINCORPORATED, Vec::new()),
        ];
        for (path, text) in files {
            tree.write(path, text, file.clone())?;
        }
        tree.leave();
        policy::begin(tree, now)?;
        if !self.options.preseed.is_empty() {
            tree.enter(|| cause::Cause::Preseed);
            let mut databases = Databases::read(tree)?;
            debconf::preseed(&mut databases, &self.options.preseed, true)?;
            databases.write(tree, now)?;
            tree.leave();
        }
        let mut database = Database::new(&self.options.architecture);
        database.foreign.clone_from(&self.options.foreign);
        self.machine.dpkg = Some(database);
        Ok(())
    }

    /// Unpacks one package: its preinst runs right before.
    fn unpack(&mut self, package: Package, layer: &Layer) -> Result<(), Error> {
        let database = self.database_mut();
        if database.find(&package.name, &package.architecture).is_some() {
            return Err(Error::Twice(package.name));
        }
        if !database.is_native(&package.architecture) && !database.foreign.contains(&package.architecture) {
            return Err(Error::Architecture { package: package.name, architecture: package.architecture });
        }
        let id = database.add(package);
        let package = database.get_mut(id);
        (package.want, package.flag, package.state) = (Want::Install, Flag::ReinstallRequired, State::HalfInstalled);
        self.check_conflicts(id)?;
        self.preinst(id, layer)?;
        let now = self.options.epoch.timestamp();
        let Machine { tree, dpkg, .. } = &mut self.machine;
        let database = dpkg.as_mut().expect("the database is there from the beginning to the end of a run");
        unpack::package(tree, database, &mut self.owners, id, layer, now)?;
        self.note_interests(id)?;
        let package = self.database_mut().get_mut(id);
        (package.flag, package.state) = (Flag::Ok, State::Unpacked);
        Ok(())
    }

    /// Writes the database and takes away what policy says.
    fn finish(mut self) -> Result<Installed, Error> {
        let now = self.options.epoch.timestamp();
        let database = self.machine.dpkg.take().expect("the database is there from the beginning to the end of a run");
        for id in database.sorted() {
            let package = database.get(id);
            if package.state != State::Installed {
                return Err(Error::Unfinished {
                    package: database.name(id, Qualified::IfAmbiguous),
                    state: package.state,
                });
            }
        }
        let mut tree = self.machine.tree;
        tree.enter(|| cause::Cause::Database { package: None });
        tree.write(database::STATUS, database.render(), Stat::root(0o644, now))?;
        tree.leave();
        policy::apply(&mut tree, now)?;
        Ok(Installed { tree, report: self.report })
    }
}
