//! Overlays: ordered steps and file trees applied to a configured tree, by the same engine that runs maintainer scripts.

use std::path::{Path, PathBuf};

use crate::{
    cause::Cause,
    digest::{Hasher, Sha256},
    manifest::{
        ManifestError,
        overlay::{Overlay, Step},
    },
    shell::{Environment, Fatal, Launch, Machine, OpenFile, Status, exec},
    tree::{Content, Errno, Node, PathError, Stat, TreePath},
};

mod script;

/// An overlay as loaded: its steps, and the host files that its `copy` steps name.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub name: String,
    steps: Vec<LoadedStep>,
}

#[derive(Clone, Debug)]
enum LoadedStep {
    /// Sorted by path; parents come before what is in them.
    Copy {
        to: String,
        entries: Vec<(Vec<u8>, HostEntry)>,
    },
    Script(script::Script),
}

#[derive(Clone, Debug)]
enum HostEntry {
    Directory,
    File { content: Content, executable: bool },
    Symlink(Vec<u8>),
}

#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{}: only files, folders and symbolic links can be copied", .0.display())]
    Kind(PathBuf),
    #[error("overlay `{overlay}`, step {number}: {fault}")]
    Step { overlay: String, number: usize, fault: StepFault },
}

/// Why one step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepFault {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("{0} is not an absolute path")]
    NotAbsolute(String),
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

impl Loaded {
    /// Of all that the overlay would do: it changes when a step or a file does.
    pub fn digest(&self) -> Sha256 {
        let mut hasher = Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        for step in &self.steps {
            match step {
                LoadedStep::Script(script) => {
                    add(script.text.as_bytes());
                    script.environment.iter().for_each(|(name, value)| add(format!("{name}={value}").as_bytes()));
                }
                LoadedStep::Copy { to, entries } => {
                    add(to.as_bytes());
                    entries.iter().for_each(|(path, entry)| {
                        add(path);
                        add(&entry.summary());
                    });
                }
            }
        }
        hasher.finish()
    }
}

impl HostEntry {
    fn summary(&self) -> Vec<u8> {
        match self {
            Self::Directory => b"directory".to_vec(),
            Self::File { content, executable } => {
                format!("file {executable} {}", crate::tree::content_digest(content)).into_bytes()
            }
            Self::Symlink(target) => [b"symlink ", target.as_slice()].concat(),
        }
    }
}

/// Reads `overlay.toml` in `folder` and the files it copies.
pub fn load(name: &str, folder: &Path) -> Result<Loaded, OverlayError> {
    let file = folder.join("overlay.toml");
    let overlay = Overlay::parse(&file.display().to_string(), &fs_err::read_to_string(&file)?)?;
    let mut steps = Vec::new();
    for step in overlay.steps {
        if let Some(script) = script::of(&step) {
            steps.push(LoadedStep::Script(script));
        }
        if let Step::Copy { from, to } = step {
            steps.push(LoadedStep::Copy { to, entries: host_entries(&folder.join(from))? });
        }
    }
    Ok(Loaded { name: name.to_owned(), steps })
}

fn host_entries(top: &Path) -> Result<Vec<(Vec<u8>, HostEntry)>, OverlayError> {
    use std::os::unix::{ffi::OsStrExt, fs::PermissionsExt};
    let mut found = Vec::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let path = entry?.path();
            let relative = path.strip_prefix(top).expect("an entry below the folder that was listed");
            let relative = relative.as_os_str().as_bytes().to_vec();
            let metadata = fs_err::symlink_metadata(&path)?;
            if metadata.is_dir() {
                found.push((relative, HostEntry::Directory));
                todo.push(path);
            } else if metadata.is_symlink() {
                let target = fs_err::read_link(&path)?.as_os_str().as_bytes().to_vec();
                found.push((relative, HostEntry::Symlink(target)));
            } else if metadata.is_file() {
                let executable = metadata.permissions().mode() & 0o100 != 0;
                let content = Content::from(fs_err::read(&path)?);
                found.push((relative, HostEntry::File { content, executable }));
            } else {
                return Err(OverlayError::Kind(path));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
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
    (1..).zip(&overlay.steps).map(|(number, step)| {
        let action = match step {
            LoadedStep::Copy { .. } => "copy",
            LoadedStep::Script(script) => script.action,
        };
        machine.tree.enter(|| Cause::Overlay { overlay: overlay.name.as_str().into(), step: number, action });
        let done = match step {
            LoadedStep::Copy { to, entries } => copy(machine, to, entries),
            LoadedStep::Script(script) => run(machine, script),
        };
        machine.tree.leave();
        done.map_err(|fault| OverlayError::Step { overlay: overlay.name.clone(), number, fault })
    })
}

fn absolute(path: &str) -> Result<TreePath, StepFault> {
    match TreePath::new(path.as_bytes()) {
        Ok(good) if path.starts_with('/') => Ok(good),
        _ => Err(StepFault::NotAbsolute(path.to_owned())),
    }
}

fn stat(machine: &Machine, mode: u16) -> Stat {
    Stat::root(mode, machine.epoch.timestamp())
}

fn copy(machine: &mut Machine, to: &str, entries: &[(Vec<u8>, HostEntry)]) -> Result<(), StepFault> {
    let to = absolute(to)?;
    let folder = stat(machine, 0o755);
    machine.tree.create_dir_all(to.as_bytes(), &folder)?;
    for (relative, entry) in entries {
        let path = [to.as_bytes(), b"/", relative].concat();
        match entry {
            HostEntry::Directory => {
                machine.tree.create_dir_all(&path, &folder)?;
            }
            HostEntry::File { content, executable } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                replace(machine, &path, stat(machine, mode), Node::Regular(content.clone()))?;
            }
            HostEntry::Symlink(target) => {
                replace(machine, &path, stat(machine, 0o777), Node::Symlink(target.clone().into()))?;
            }
        }
    }
    Ok(())
}

/// Makes `path` in place of a file or link that is there.
fn replace(machine: &mut Machine, path: &[u8], stat: Stat, node: Node) -> Result<(), StepFault> {
    match machine.tree.unlink(path) {
        Ok(()) => {}
        Err(error) if error.errno == Errno::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    machine.tree.create(path, stat, node)?;
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
