//! From locked packages to a finished tree: layers, configuration, overlays.

use std::collections::BTreeMap;

use super::{PipelineError, Result, Session, sums};
use crate::{
    configure::{self, Options},
    deb::{
        control::{self, Comments},
        dependency::Architecture,
    },
    digest::Sha256,
    lock::{Lock, Package, PackageKey, Role},
    manifest::{
        image::{Answer, Ids, Image},
        skip::Skip,
    },
    overlay,
    progress::{Event, Unit},
    shell::{Limits, Machine},
    store::Layer,
    tar::Kind,
    tree::{Content, Tree},
    unpack::control_text,
};

/// What is worth telling about an assembly.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) packages: usize,
    /// Bytes of each package's files.
    pub(super) sizes: Vec<(String, u64)>,
}

/// The layers of packages, unpacked now where the store has none yet. Packages are called in errors what `name` says.
pub(super) fn layers(
    session: &Session<'_>,
    sums: &[Sha256],
    name: &dyn Fn(&Sha256) -> Option<String>,
) -> Result<Vec<Layer>> {
    let size = |sum| session.store.deb(sum).and_then(|path| path.metadata().ok()).map_or(0, |metadata| metadata.len());
    let total = sums.iter().map(size).sum();
    (session.progress)(Event::Stage { name: "unpack", unit: Unit::Bytes, total });
    session.store.layers(sums, &|bytes| (session.progress)(Event::Advance(bytes))).map_err(|error| {
        match error.package().and_then(name) {
            Some(name) => PipelineError::Package(name, Box::new(error)),
            None => error.into(),
        }
    })
}

/// How packages are installed.
pub(super) fn options(
    session: &Session<'_>,
    (architecture, foreign): (&str, Vec<String>),
    skips: Vec<Skip>,
    answers: &[Answer],
    ids: &Ids,
) -> Options {
    let preseed = answers.iter().map(|a| format!("{} {} {} {}\n", a.package, a.question, a.kind, a.value));
    Options {
        epoch: session.epoch,
        architecture: architecture.to_owned(),
        foreign,
        kernel_release: Machine::DEFAULT_KERNEL_RELEASE.to_owned(),
        preseed: preseed.collect::<String>().into_bytes(),
        skips,
        ids: ids.clone(),
        limits: Limits::SCRIPT,
        journal: false,
    }
}

/// A tree with the layers' packages installed.
pub(super) fn configured(session: &Session<'_>, layers: &[Layer], options: &Options) -> Result<Tree> {
    (session.progress)(Event::Stage { name: "configure", unit: Unit::Packages, total: layers.len() as u64 });
    Ok(configure::install(layers, options, &|count| (session.progress)(Event::Advance(count)))?.tree)
}

/// The options of a locked image.
pub(super) fn locked(session: &Session<'_>, image: &Image, lock: &Lock) -> Options {
    let foreign = lock.foreign.iter().map(Architecture::to_string).collect();
    let architectures = (lock.architecture.as_str(), foreign);
    options(session, architectures, lock.skips.iter().cloned().collect(), &image.debconf, &image.ids)
}

/// The layers of a lock's root.
pub(super) fn root_layers(session: &Session<'_>, lock: &Lock) -> Result<Vec<Layer>> {
    layers_of(session, lock, Role::Root)
}

/// The layers of a lock's boot loader.
pub(super) fn loader_layers(session: &Session<'_>, lock: &Lock) -> Result<Vec<Layer>> {
    layers_of(session, lock, Role::Loader)
}

fn layers_of(session: &Session<'_>, lock: &Lock, role: Role) -> Result<Vec<Layer>> {
    let layers = layers(session, &sums(lock, role), &|sum| name_of(lock, sum))?;
    for ((key, package), layer) in lock.packages(role).zip(&layers) {
        check_control(key, package, layer).map_err(|(field, locked, found)| PipelineError::NotAsLocked {
            file: session.project.relative(&session.project.lock_file(&lock.base, &lock.target)),
            package: key.name.to_string(),
            field,
            locked,
            found,
        })?;
    }
    Ok(layers)
}

/// Whether a package is what the lock calls it; otherwise the field, and what lock and control file have in it.
fn check_control(
    key: &PackageKey,
    package: &Package,
    layer: &Layer,
) -> std::result::Result<(), (&'static str, String, String)> {
    let text = control_text(layer).map(|text| text.as_ref()).unwrap_or_default();
    let paragraph = control::paragraph(text, Comments::Refuse).ok();
    let found = |field: &str| {
        let value = paragraph.as_ref().and_then(|paragraph| paragraph.get(field));
        value.map_or("none".to_owned(), |value| String::from_utf8_lossy(value).into_owned())
    };
    let locked = [
        ("Package", key.name.as_str()),
        ("Version", package.version.as_str()),
        ("Architecture", key.architecture.as_str()),
    ];
    match locked.into_iter().find(|(field, locked)| found(field) != *locked) {
        None => Ok(()),
        Some((field, locked)) => Err((field, locked.to_owned(), found(field))),
    }
}

/// The finished tree of an image, with a journal if one is to be kept.
pub(super) fn tree(
    session: &Session<'_>,
    image: &Image,
    lock: &Lock,
    overlays: &[overlay::Loaded],
    journal: bool,
) -> Result<(Tree, Report)> {
    let layers = root_layers(session, lock)?;
    let options = Options { journal, ..locked(session, image, lock) };
    let tree = configured(session, &layers, &options)?;
    (session.progress)(Event::Stage { name: "overlay", unit: Unit::Packages, total: 0 });
    let mut machine = Machine::new(tree, session.epoch, lock.architecture.as_str(), Limits::SCRIPT);
    machine.ids.clone_from(&image.ids);
    for overlay in overlays {
        overlay::apply(&mut machine, overlay)?;
    }
    if let Some((kind, name)) = machine.absent_id() {
        return Err(PipelineError::AbsentId { kind, name: name.to_owned() });
    }
    let names = lock.packages(Role::Root).map(|(key, _)| key.name.to_string());
    let sizes = names.zip(&layers).map(|(name, layer)| (name, content_len(layer))).collect();
    Ok((machine.tree, Report { packages: layers.len(), sizes }))
}

/// Name and version of the locked package with this sum.
fn name_of(lock: &Lock, sum: &Sha256) -> Option<String> {
    let (key, package) = lock.packages.iter().find(|(_, package)| package.file.sha256 == *sum)?;
    Some(format!("package {} {}", key.name, package.version.as_str()))
}

fn content_len(layer: &Layer) -> u64 {
    layer.members.iter().map(|member| if let Kind::Regular(content) = &member.kind { content.len() } else { 0 }).sum()
}

/// The files of the boot loader's packages, by path.
pub(super) fn loader(session: &Session<'_>, lock: &Lock) -> Result<BTreeMap<Vec<u8>, Content>> {
    let mut files = BTreeMap::new();
    for layer in loader_layers(session, lock)? {
        for member in layer.members {
            if let Kind::Regular(content) = member.kind {
                files.insert(member.path.as_bytes().to_vec(), content);
            }
        }
    }
    Ok(files)
}
