//! Overlays: ordered steps and file trees applied to a configured tree, by the same engine that runs maintainer scripts.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    cause::Cause,
    deb::compress,
    digest::{Hasher, Sha256},
    manifest::{
        ManifestError,
        overlay::{self as manifest, Overlay, Step},
    },
    nearest::nearest,
    shell::{Environment, Fatal, Launch, Machine, OpenFile, Status, exec, extended::Extended},
    tar,
    tree::{Errno, Node, PathError, Stat, TreePath},
};

mod extract;
mod host;
mod locale;
mod place;
mod script;
mod template;

use host::{Entry, Placed};

/// Where an overlay is read from, and for whom.
pub struct Source<'a> {
    pub folder: &'a Path,
    /// The variant that is being built.
    pub variant: &'a str,
    /// All variants that there are.
    pub variants: &'a BTreeSet<String>,
    /// The file of the store that has a sum.
    pub stored: &'a dyn Fn(&Sha256) -> Option<PathBuf>,
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("folder", &self.folder).field("variant", &self.variant).finish_non_exhaustive()
    }
}

/// An overlay as loaded: its steps for one variant, and the host's files that they bring along.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub name: String,
    steps: Vec<LoadedStep>,
}

/// What a step comes to: files are placed, then a script runs.
#[derive(Clone, Debug)]
struct LoadedStep {
    place: Place,
    /// Parents come before what is in them.
    placed: Vec<Placed>,
    /// Locales that must be there.
    locales: Vec<String>,
    script: script::Script,
}

impl LoadedStep {
    fn cause(&self) -> Cause {
        let Place { overlay, number, kind, .. } = &self.place;
        Cause::Overlay { overlay: overlay.as_str().into(), step: *number, action: kind }
    }
}

/// Which step of which overlay, as errors name it.
#[derive(Clone, Debug)]
pub struct Place {
    pub overlay: String,
    pub number: usize,
    /// Of overlay.toml, where the step begins.
    pub line: usize,
    pub kind: &'static str,
}

impl Place {
    fn new(overlay: &str, entry: &manifest::Entry) -> Self {
        Self { overlay: overlay.to_owned(), number: entry.number, line: entry.line, kind: entry.step.kind() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { overlay, number, line, kind } = self;
        write!(f, "overlays/{overlay}/overlay.toml:{line}: step {number} ({kind})")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{place}: {fault}")]
    Load { place: Place, fault: Box<LoadFault> },
    #[error("{place}: {fault}")]
    Step { place: Place, fault: Box<StepFault> },
}

/// Why a step can't be taken, whatever the target is.
#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("variants: no target has the variant `{0}`")]
    Variant(String, Option<String>),
    #[error("from: {} is not there", .0.display())]
    NoFile(PathBuf),
    #[error("from: {} is a symbolic link, which may lead away from the overlay", .0.display())]
    Link(PathBuf),
    #[error("from: {} is neither there nor in the store", .0.display())]
    NoArtifact(PathBuf),
    #[error("mode: {} is a folder", .0.display())]
    ModeOfFolder(PathBuf),
    #[error("from: {}: only files, folders and symbolic links can be copied", .0.display())]
    Kind(PathBuf),
    #[error("{kind}: {} has {found}, expected {expected}", path.display())]
    Sum { path: PathBuf, kind: &'static str, expected: String, found: String },
    #[error("from: {0}: {1}")]
    Tar(String, tar::Error),
    #[error("from: {0}: {1}")]
    Compressed(String, compress::Error),
    #[error("from: {0} is no tar archive")]
    Format(String),
    #[error("members: {0} has no `{1}`")]
    NoMember(String, String),
    #[error("members: {0}: `{1}` is neither file, folder nor symbolic link")]
    Member(String, String),
    #[error("from: {0} is not UTF-8")]
    NoText(String),
    #[error("line {line}: placeholder `{placeholder}` has no value")]
    NoValue { placeholder: String, line: usize },
    #[error("there is no placeholder `{0}`")]
    NoPlaceholder(String),
    #[error("add: {0} holds no certificate in PEM")]
    NoCertificate(String),
    #[error("matching: `{0}` is no extended regular expression: {1}")]
    Expression(String, String),
}

/// Why one step failed on the target.
#[derive(Debug, thiserror::Error)]
pub enum StepFault {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("the target has no locale `{0}`")]
    Locale(String),
    #[error("{0}")]
    Fatal(#[from] Fatal),
    #[error("status {status}{}", tail(output))]
    Failed { status: u8, output: String },
}

/// The last lines of a script's output, for an error.
fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(5)..].iter().map(|line| format!("\n  {line}")).collect()
}

/// What to do instead of running a program that the engine has not.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["apt", "apt-get", "aptitude"], "packages are named in image.toml, and are there before the first step"),
    (&["curl", "wget", "git"], "no step has a network: `artifact` and `extract` place files with known sums"),
    (&["tar", "unzip", "bunzip2"], "`extract` unpacks a tar archive"),
    (&["localedef", "locale-gen"], "use C.UTF-8, or the package locales-all, which brings every locale compiled"),
    (&["python", "perl"], "programs of the target are not run; say it in shell, or prepare the file beforehand"),
];

impl OverlayError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Manifest(error) => error.hint().map(str::to_owned),
            Self::Io(_) => None,
            Self::Load { fault, .. } => match &**fault {
                LoadFault::Variant(_, close) => close.as_ref().map(|name| format!("did you mean `{name}`?")),
                LoadFault::NoArtifact(_) => Some("put it there, or `icos store add FILE`".to_owned()),
                LoadFault::ModeOfFolder(_) => Some("`chmod-tree` sets the modes of a folder's contents".to_owned()),
                LoadFault::Format(_) => Some("plain, gzip, xz and zstd are known".to_owned()),
                _ => None,
            },
            Self::Step { fault, .. } => match &**fault {
                StepFault::Locale(_) => Some(INSTEAD[3].1.to_owned()),
                StepFault::Fatal(fatal) => lacking(fatal).and_then(instead),
                StepFault::Failed { status: 127, output } => {
                    let line = output.lines().last()?.strip_suffix(": not found")?;
                    instead(line.rsplit(": ").next().unwrap_or(line))
                }
                _ => None,
            },
        }
    }
}

/// The program that the engine has not.
fn lacking(fatal: &Fatal) -> Option<&str> {
    match fatal {
        Fatal::At { source, .. } => lacking(source),
        Fatal::UnknownCommand(path) => std::str::from_utf8(path).ok(),
        _ => None,
    }
}

fn instead(program: &str) -> Option<String> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let (_, hint) = INSTEAD.iter().find(|(names, _)| names.contains(&name))?;
    Some((*hint).to_owned())
}

impl Loaded {
    /// Of all that the overlay would do: it changes when a step or a file does.
    pub fn digest(&self) -> Sha256 {
        let mut hasher = Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        for step in &self.steps {
            for placed in &step.placed {
                add(&placed.path);
                add(&placed.summary());
            }
            add(step.script.text.as_bytes());
            step.script.environment.iter().for_each(|(name, value)| add(format!("{name}={value}").as_bytes()));
        }
        hasher.finish()
    }
}

/// The steps of `overlay.toml` that are for the variant, and the files they bring.
pub fn load(name: &str, source: &Source<'_>) -> Result<Loaded, OverlayError> {
    let mut steps = Vec::new();
    for entry in parse(source.folder)?.entries {
        let place = Place::new(name, &entry);
        let failed = |fault: LoadFault| OverlayError::Load { place: place.clone(), fault: Box::new(fault) };
        let variants = entry.variants.as_deref().unwrap_or_default();
        known(source, variants).map_err(failed)?;
        if variants.is_empty() || variants.iter().any(|variant| variant == source.variant) {
            steps.push(loaded(source, &entry.step, place.clone()).map_err(failed)?);
        }
    }
    Ok(Loaded { name: name.to_owned(), steps })
}

fn parse(folder: &Path) -> Result<Overlay, OverlayError> {
    let file = folder.join("overlay.toml");
    Ok(Overlay::parse(&file.display().to_string(), &fs_err::read_to_string(&file)?)?)
}

/// The sums of everything in the store that an overlay may ask for.
pub fn artifacts(folder: &Path) -> Result<Vec<Sha256>, OverlayError> {
    let sum = |step: Step| match step {
        Step::Artifact(step) => step.sha256,
        Step::Extract(step) => step.sha256,
        _ => None,
    };
    Ok(parse(folder)?.entries.into_iter().filter_map(|entry| sum(entry.step)).collect())
}

/// The sums of what a variant's steps take from the store, since it is not beside the overlay.
pub fn stored(folder: &Path, variant: &str) -> Result<BTreeSet<Sha256>, OverlayError> {
    let overlay = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut sums = BTreeSet::new();
    for entry in parse(folder)?.entries {
        let wanted = entry.variants.as_deref().unwrap_or_default();
        let (from, sum) = match &entry.step {
            Step::Artifact(step) => (&step.from, step.sha256),
            Step::Extract(step) => (&step.from, step.sha256),
            _ => continue,
        };
        let beside = folder.join(from);
        if beside.is_file() || !(wanted.is_empty() || wanted.iter().any(|name| name == variant)) {
            continue;
        }
        let place = Place::new(&overlay, &entry);
        let absent = || OverlayError::Load { place, fault: Box::new(LoadFault::NoArtifact(beside)) };
        sums.insert(sum.ok_or_else(absent)?);
    }
    Ok(sums)
}

fn known(source: &Source<'_>, variants: &[String]) -> Result<(), LoadFault> {
    let Some(unknown) = variants.iter().find(|variant| !source.variants.contains(*variant)) else { return Ok(()) };
    let close = nearest(unknown, source.variants.iter().map(String::as_str), 1);
    Err(LoadFault::Variant(unknown.clone(), close.first().map(|name| (*name).to_owned())))
}

fn loaded(source: &Source<'_>, step: &Step, place: Place) -> Result<LoadedStep, LoadFault> {
    let expression = match step {
        Step::Replace(step) => Some(&step.matching),
        Step::DeleteLines(step) => Some(&step.matching),
        _ => None,
    };
    if let Some(text) = expression {
        Extended::within(text).map_err(|why| LoadFault::Expression(text.clone(), why))?;
    }
    let locales = match step {
        Step::Locale(step) => {
            let others = step.variables.iter().filter(|(name, _)| *name != "LANGUAGE").map(|(_, value)| value);
            std::iter::once(&step.lang).chain(others).cloned().collect()
        }
        _ => Vec::new(),
    };
    let (placed, owner) = place::of(source, step)?;
    let mut script = script::of(step);
    if let Some(owner) = owner {
        // The folder that others go into keeps its own owner.
        let top = matches!(step, Step::Copy(_) | Step::Extract(_)) && matches!(placed[0].entry, Entry::Directory);
        script.text += &script::own(owner, placed.iter().skip(usize::from(top)).map(|placed| placed.path.as_slice()));
    }
    Ok(LoadedStep { place, placed, locales, script })
}

/// Performs every step on the machine's tree; the first that fails ends it.
pub fn apply(machine: &mut Machine, overlay: &Loaded) -> Result<(), OverlayError> {
    steps(machine, overlay).collect()
}

/// Performs every step, also behind one that fails, and returns why those fail that do.
pub fn rehearse(machine: &mut Machine, overlay: &Loaded) -> Vec<OverlayError> {
    steps(machine, overlay).filter_map(Result::err).collect()
}

/// Steps as they are performed, one after the other.
fn steps(machine: &mut Machine, overlay: &Loaded) -> impl Iterator<Item = Result<(), OverlayError>> {
    overlay.steps.iter().map(|step| {
        machine.tree.enter(|| step.cause());
        let done = perform(machine, step);
        machine.tree.leave();
        done.map_err(|fault| OverlayError::Step { place: step.place.clone(), fault: Box::new(fault) })
    })
}

fn perform(machine: &mut Machine, step: &LoadedStep) -> Result<(), StepFault> {
    if let Some(absent) = step.locales.iter().find(|name| !locale::is_there(&machine.tree, name)) {
        return Err(StepFault::Locale(absent.clone()));
    }
    for placed in &step.placed {
        put(machine, placed)?;
    }
    if !step.script.text.is_empty() {
        run(machine, &step.script)?;
    }
    Ok(machine.settle_ids()?)
}

/// Makes what is placed, in place of a file or link that is there.
fn put(machine: &mut Machine, placed: &Placed) -> Result<(), StepFault> {
    let stat = |mode| Stat::root(mode, machine.epoch.timestamp());
    let folder = stat(0o755);
    let (stat, node) = match &placed.entry {
        Entry::Directory => {
            machine.tree.create_dir_all(&placed.path, &folder)?;
            return Ok(());
        }
        Entry::File { content, mode } => (stat(*mode), Node::Regular(content.clone())),
        Entry::Symlink(target) => (stat(0o777), Node::Symlink(target.clone().into())),
    };
    let parent = placed.path.iter().rposition(|&b| b == b'/').unwrap_or_default();
    machine.tree.create_dir_all(&placed.path[..parent], &folder)?;
    match machine.tree.unlink(&placed.path) {
        Ok(()) => {}
        Err(error) if error.errno == Errno::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    machine.tree.create(&placed.path, stat, node)?;
    Ok(())
}

/// Runs a script with `sh -e` in the target; its output is shown when it fails.
fn run(machine: &mut Machine, script: &script::Script) -> Result<(), StepFault> {
    let output = OpenFile::buffer(Vec::new());
    let mut environment = Environment::new();
    for (name, value) in crate::configure::environment().iter().chain(&script.environment) {
        environment.insert(name.clone().into_bytes(), value.clone().into_bytes());
    }
    let launch = Launch {
        argv: ["sh", "-e", "-c", &script.text].iter().map(|word| word.as_bytes().to_vec()).collect(),
        environment,
        folder: TreePath::root(),
        umask: 0o022,
        descriptors: [(0, OpenFile::null()), (1, output.clone()), (2, output.clone())].into(),
    };
    machine.begin();
    match exec::execute(machine, launch)? {
        Status(0) => Ok(()),
        Status(status) => {
            Err(StepFault::Failed { status, output: String::from_utf8_lossy(&OpenFile::take(&output)).into_owned() })
        }
    }
}
