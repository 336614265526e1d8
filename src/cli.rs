//! The command line: arguments to calls of the pipeline, results to text or JSON, errors to one line and a hint.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
};

use anyhow::Context;
use clap::Parser;

use crate::{
    fetch::{Net, Patience, Settings},
    manifest::project::{Project, Target},
    mirror,
    pipeline::Session,
    progress::Event,
    store::Store,
};

use args::{Cli, Common, Format, Verb};
use environment::Environment;
use interrupt::CANCELLED;
use screen::{Loudness, Screen};

mod args;
pub mod boot;
mod build;
mod bump;
mod bundle;
mod environment;
mod hint;
mod interrupt;
mod lock;
mod packages;
mod rootfs;
mod screen;
mod start;
mod store;
mod verify;
mod why;

/// Exit status when what was compared differs.
const DIFFERS: u8 = 3;

/// Downloads at the same time.
const CONNECTIONS: usize = 8;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            if error.use_stderr() && asks_for_json() {
                let _ =
                    writeln!(std::io::stdout(), "{}", serde_json::json!({ "error": error.to_string(), "hint": null }));
            }
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let format = cli.common.format;
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            report(&error, format);
            ExitCode::from(1)
        }
    }
}

/// Whether a command line that cannot be understood has the option for JSON.
fn asks_for_json() -> bool {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    words.iter().any(|word| word == "--format=json")
        || words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json")
}

/// Prints an error with its causes and its hint; as JSON on standard output when that is the format.
fn report(error: &anyhow::Error, format: Format) {
    if is_broken_pipe(error) {
        return;
    }
    let (message, hint) = (chain(error), hint::of(error));
    let mut stderr = std::io::stderr();
    // When standard error is closed there is nobody to tell.
    let _ = writeln!(stderr, "error: {message}");
    if let Some(hint) = &hint {
        let _ = writeln!(stderr, "hint: {hint}");
    }
    if format == Format::Json {
        let mut object = serde_json::json!({ "error": message, "hint": hint });
        if let Some(details) = hint::details(error) {
            object["refused"] = details;
        }
        let _ = writeln!(std::io::stdout(), "{object}");
    }
}

/// The causes joined by colons; one that repeats the message before it adds nothing.
fn chain(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if message.is_empty() {
            message = text;
        } else if !message.contains(&text) {
            message += ": ";
            message += &text;
        }
    }
    message
}

/// Whether nobody reads what the program prints. What else breaks has an error of its own around it.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// A path in JSON, which is text: what is no UTF-8 is replaced.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let format = cli.common.format;
    interrupt::watch(move || report(&anyhow::anyhow!("interrupted"), format)).context("signals")?;
    let edge = Edge::new(&cli.common);
    let done = match &cli.verb {
        Verb::Resolve(args) => packages::run(&edge, args),
        Verb::Rootfs(args) => rootfs::run(&edge, args),
        Verb::Lock(args) => lock::run(&edge, args),
        Verb::Bump(args) => bump::run(&edge, args),
        Verb::Diff(args) => bump::diff(&edge, args),
        Verb::Fetch(args) => lock::fetch(&edge, args),
        Verb::Build(args) => build::run(&edge, args),
        Verb::Boot(args) => start::run(&edge, args),
        Verb::Verify(args) => verify::run(&edge, args),
        Verb::Why(args) => why::run(&edge, args),
        Verb::Bundle { action } => bundle::run(&edge, action),
        Verb::Store { action } => store::run(&edge, action),
    };
    edge.screen.end();
    done
}

/// What every verb needs of the outside.
struct Edge {
    environment: Environment,
    screen: Screen,
    format: Format,
    verbose: bool,
    store: Option<PathBuf>,
    mirrors: Vec<String>,
    project: Option<PathBuf>,
}

impl Edge {
    fn new(common: &Common) -> Self {
        let loudness = match (common.quiet, common.verbose) {
            (true, _) => Loudness::Quiet,
            (_, true) => Loudness::Verbose,
            _ => Loudness::Usual,
        };
        Self {
            environment: Environment::read(),
            screen: Screen::new(loudness),
            format: common.format,
            verbose: common.verbose,
            store: common.store.clone(),
            mirrors: common.mirror.clone(),
            project: common.project.clone(),
        }
    }

    fn project(&self) -> anyhow::Result<Project> {
        match &self.project {
            Some(folder) => Ok(Project::find(&folder.canonicalize().with_context(|| folder.display().to_string())?)?),
            None => Ok(Project::find(&std::env::current_dir().context("current folder")?)?),
        }
    }

    fn store_folder(&self) -> anyhow::Result<PathBuf> {
        let folder = self.store.clone().or_else(|| self.environment.store.clone());
        folder
            .or_else(|| self.environment.cache_folder())
            .context("no store: neither --store, ICOS_STORE nor HOME is set")
    }

    fn store(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&self.store_folder()?)?)
    }

    /// Calls `work` with everything that the pipeline needs.
    fn session<T>(&self, offline: bool, work: impl FnOnce(&Session<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.session_of(&self.project()?, &self.store()?, offline, work)
    }

    /// Calls `work` with a project and a store that need not be the user's.
    fn session_of<T>(
        &self,
        project: &Project,
        store: &Store,
        offline: bool,
        work: impl FnOnce(&Session<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut arguments = Vec::new();
        for text in &self.mirrors {
            arguments.push(text.parse().with_context(|| format!("--mirror {text}"))?);
        }
        let known = mirror::Known::read(arguments, &self.environment.config_file(), "/etc/apt".as_ref())?;
        let progress = |event: Event<'_>| self.screen.tell(event);
        let settings = Settings {
            offline,
            connections: CONNECTIONS,
            proxies: self.environment.proxies.clone(),
            patience: Patience::USUAL,
            cancelled: &CANCELLED,
            progress: &progress,
        };
        let net = Net::new(settings)?;
        let epoch = self.environment.epoch()?;
        let session = Session { project, store, net: &net, known: &known, epoch, progress: &progress };
        let done = work(&session);
        if CANCELLED.load(Ordering::SeqCst) {
            anyhow::bail!("interrupted");
        }
        done
    }

    /// Writes a result to standard output: `text` as it is, or `json`.
    fn print(&self, text: &str, json: &serde_json::Value) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        match self.format {
            Format::Text => stdout.write_all(text.as_bytes())?,
            Format::Json => writeln!(stdout, "{json}")?,
        }
        stdout.flush()?;
        Ok(())
    }

    fn note(&self, text: &str) {
        self.screen.tell(Event::Note(text));
    }
}

/// The targets that were named, all known; none named means all that `every` gives.
fn targets(
    project: &Project,
    named: &[String],
    every: impl FnOnce() -> anyhow::Result<Vec<Target>>,
) -> anyhow::Result<Vec<Target>> {
    if named.is_empty() {
        return every();
    }
    named.iter().map(|text| Ok(project.target(text)?)).collect()
}
