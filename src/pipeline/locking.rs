//! From an image's package names to its lock.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    PipelineError, Result, Session,
    archive::Offer,
    base,
    build::{boot_files, of_base},
    definitions, image_file,
    local::{self, LocalDeb},
    read_any_lock,
};
use crate::{
    deb::{
        dependency::{Architecture, PackageName},
        version::Version,
    },
    lock::{self, File, Lock, Package, PackageKey, Policy, Role, Source, Suite, SuiteName},
    manifest::{
        image::{Image, ImageBase},
        project::Target,
        skip::Skip,
    },
    nearest::nearest,
    progress::{Event, Unit},
    resolve::{Chosen, RESOLVER, Request, Resolver, request::Root, universe::Universe},
};

/// A lock that was made, not yet written.
#[derive(Clone, Debug)]
pub struct Locked {
    pub lock: Lock,
    pub text: String,
    pub packages: usize,
    /// Of all .debs.
    pub bytes: u64,
}

/// Resolves a target on a base and proves every package.
pub fn lock(session: &Session<'_>, target: &Target, name: &str) -> Result<Locked> {
    let base = base(session.project, name)?;
    let (image, _) = session.project.image(&target.os)?;
    let of_base = of_base(&image, name)?;
    // A build needs them much later; better to hear of it now.
    boot_files(session, &image, name, target)?;
    let before = read_any_lock(session.project, name, target)?;
    let offer = Offer::new(session, &base, before.as_ref())?;
    (session.progress)(Event::Stage { name: "resolve", unit: Unit::Packages, total: 0 });
    let names = names(of_base, &image.variants[&target.variant].packages);
    let own = own(session, &names)?;
    let universe = offer.universe(&base, &own)?;
    let resolver = Resolver::new(&universe, &base.pins);
    let roots = roots(&names, &own)?;
    let request = Request { roots: &roots, essential: true, required: true, recommends: false };
    let policy = Policy { resolver: RESOLVER.to_owned(), recommends: false, essential: true, required: true };

    let foreign = base.foreign.iter().map(|name| Architecture::new(name));
    let mut lock = Lock {
        target: target.clone(),
        base: name.to_owned(),
        architecture: Architecture::new(&base.architecture).map_err(PipelineError::name)?,
        foreign: foreign.collect::<std::result::Result<_, _>>().map_err(PipelineError::name)?,
        snapshot: base.timestamp,
        policy,
        definitions: definitions(session.project, name, &target.os)?,
        skips: BTreeSet::new(),
        suites: suites(&offer),
        packages: BTreeMap::new(),
    };
    for chosen in resolver.solve(&request)?.packages.values() {
        add(&mut lock, chosen, Role::Root, chosen.reason.to_string())?;
    }
    for wanted in &of_base.loader.packages {
        let root: Root = wanted.parse().map_err(PipelineError::root)?;
        let request = Request { roots: &[root], essential: false, required: false, recommends: false };
        let solution = resolver.solve(&request)?;
        let named = solution.packages.values().find(|chosen| chosen.stanza.name == wanted);
        let chosen = named.ok_or_else(|| PipelineError::Provided {
            wanted: wanted.clone(),
            providers: solution.packages.values().map(|chosen| chosen.stanza.name.to_owned()).collect(),
        })?;
        add(&mut lock, chosen, Role::Loader, "boot loader".to_owned())?;
    }
    for skip in image.skips(of_base) {
        if is_of_target(session, skip, &lock, &universe)? {
            lock.skips.insert(skip.clone());
        }
    }
    let bytes = lock.packages.values().map(|package| package.file.size).sum();
    Ok(Locked { packages: lock.packages.len(), bytes, text: lock::writer::write(&lock), lock })
}

/// Whether the target has the package whose script is to be skipped. Another variant may have it, but the archive must.
fn is_of_target(session: &Session<'_>, skip: &Skip, lock: &Lock, universe: &Universe<'_>) -> Result<bool> {
    let mut locked = lock.packages(Role::Root).map(|(key, _)| key.name.as_str());
    if locked.any(|name| name == skip.package) {
        return Ok(true);
    }
    let file = image_file(&lock.target.os);
    if universe.names().any(|name| name == skip.package) {
        let Skip { package, script, .. } = skip;
        let text = format!("{file}: {} has no package {package}, whose {script} is skipped", lock.target);
        (session.progress)(Event::Warning(&text));
        return Ok(false);
    }
    let near = |names: Vec<&str>| nearest(&skip.package, names, 3).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut close = near(lock.packages(Role::Root).map(|(key, _)| key.name.as_str()).collect());
    if close.is_empty() {
        close = near(universe.names().collect());
    }
    Err(PipelineError::UnknownSkip { file, package: skip.package.clone(), base: lock.base.clone(), nearest: close })
}

/// What a variant takes: packages by name, and files of the project's.
pub(super) fn names<'a>(of_base: &'a ImageBase, groups: &[String]) -> Vec<&'a str> {
    groups.iter().filter_map(|group| of_base.packages.get(group)).flatten().map(String::as_str).collect()
}

/// The names of the packages that a variant asks for.
pub(super) fn requested(session: &Session<'_>, image: &Image, base: &str, variant: &str) -> Result<BTreeSet<String>> {
    let names = names(&image.bases[base], &image.variants[variant].packages);
    let own = own(session, &names)?;
    Ok(roots(&names, &own)?.iter().map(|root| root.name.to_string()).collect())
}

/// The packages of the project's own.
fn own(session: &Session<'_>, names: &[&str]) -> Result<Vec<LocalDeb>> {
    let files = names.iter().filter(|name| local::is_path(name));
    files.map(|path| LocalDeb::read(session, &session.project.root, path)).collect()
}

fn roots(names: &[&str], own: &[LocalDeb]) -> Result<Vec<Root>> {
    let named = names.iter().filter(|name| !local::is_path(name));
    let named = named.map(|name| name.parse().map_err(PipelineError::root));
    named.chain(own.iter().map(|deb| Ok(deb.root()))).collect()
}

fn suites(offer: &Offer) -> BTreeMap<SuiteName, Suite> {
    let mut suites: BTreeMap<SuiteName, Suite> = BTreeMap::new();
    for index in &offer.indexes {
        let signed = &index.release;
        let name = SuiteName { archive: signed.archive.clone(), suite: signed.suite.clone() };
        let suite = suites.entry(name).or_insert_with(|| Suite {
            in_release: signed.evidence.digest,
            signature: signed.evidence.signature,
            signer: signed.evidence.signer.clone(),
            date: signed.release.date,
            indexes: BTreeMap::new(),
        });
        suite.indexes.insert(index.path.clone(), File { size: index.entry.size, sha256: index.entry.sha256 });
    }
    suites
}

fn add(lock: &mut Lock, chosen: &Chosen<'_, '_>, role: Role, why: String) -> Result<()> {
    let (stanza, origin) = (chosen.stanza, chosen.origin);
    let key = PackageKey {
        name: PackageName::new(stanza.name).map_err(PipelineError::name)?,
        architecture: Architecture::new(stanza.architecture).map_err(PipelineError::name)?,
    };
    let version = Version::new(stanza.version)
        .map_err(|source| PipelineError::Version { package: stanza.name.to_owned(), source })?;
    let package = lock.packages.entry(key).or_insert_with(|| Package {
        version,
        file: File { size: stanza.file.size, sha256: stanza.file.sha256 },
        source: if origin.archive.is_empty() {
            Source::Project { path: origin.path.clone() }
        } else {
            Source::Archive {
                suite: SuiteName { archive: origin.archive.clone(), suite: origin.suite.clone() },
                index: origin.path.clone(),
                path: stanza.file.path.to_owned(),
            }
        },
        roles: [].into(),
        why,
    });
    package.roles.insert(role);
    Ok(())
}
