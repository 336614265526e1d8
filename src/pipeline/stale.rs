//! What a definition that has changed says otherwise than its lock, as far as the lock tells without the network.

use std::collections::BTreeSet;

use super::{Result, base};
use crate::{
    lock::{Lock, Role, Source, stale::Stale},
    manifest::{base::Base, image::Image, project::Project},
};

/// Changes that are told of one file before the rest is only counted.
const SHOWN: usize = 8;

/// Each stale definition, with the keys and packages that differ.
pub(super) fn told(project: &Project, lock: &Lock, stale: &[Stale]) -> Result<Vec<String>> {
    let (image, _) = project.image(&lock.target.os)?;
    let (base_file, _) = project.base(&lock.base)?;
    let base = base(project, &lock.base)?;
    let told = stale.iter().map(|stale| {
        let mut changes = match stale {
            Stale::Changed(path) if *path == base_file => of_base(&base, lock),
            Stale::Changed(_) => of_image(&image, lock),
            Stale::New(_) | Stale::Gone(_) => Vec::new(),
        };
        let more = changes.len().saturating_sub(SHOWN);
        changes.truncate(SHOWN);
        if more > 0 {
            changes.push(format!("{more} more"));
        }
        match changes.is_empty() {
            true => stale.to_string(),
            false => format!("{stale} ({})", changes.join(", ")),
        }
    });
    Ok(told.collect())
}

fn of_base(base: &Base, lock: &Lock) -> Vec<String> {
    let mut changes = Vec::new();
    if base.timestamp != lock.snapshot {
        let shown =
            |instant: Option<crate::date::Instant>| instant.map_or("none".to_owned(), |instant| instant.to_string());
        changes.push(format!("timestamp: was {}, is {}", shown(lock.snapshot), shown(base.timestamp)));
    }
    if base.architecture != lock.architecture.as_str() {
        changes.push(format!("architecture: was {}, is {}", lock.architecture, base.architecture));
    }
    let is =
        base.archives.iter().flat_map(|archive| archive.suites.iter().map(|suite| format!("{}/{suite}", archive.name)));
    let was = lock.suites.keys().map(|name| format!("{}/{}", name.archive, name.suite));
    sets(&mut changes, "suites", &was.collect(), &is.collect());
    for archive in &base.archives {
        let suites = || lock.suites.iter().filter(|(name, _)| name.archive == archive.name);
        let indexes = suites().flat_map(|(_, suite)| suite.indexes.keys());
        let was: BTreeSet<String> =
            indexes.filter_map(|path| Some(path.split_once("/binary-")?.0.to_owned())).collect();
        if !was.is_empty() {
            let key = format!("components of {}", archive.name);
            sets(&mut changes, &key, &was, &archive.components.iter().cloned().collect());
        }
        let signers: BTreeSet<String> = suites().map(|(_, suite)| suite.signer.to_string()).collect();
        let pinned: BTreeSet<String> = archive.keys.iter().map(|key| key.fingerprint.to_string()).collect();
        changes.extend(signers.difference(&pinned).map(|key| format!("keys of {}: without {key}", archive.name)));
    }
    changes
}

fn of_image(image: &Image, lock: &Lock) -> Vec<String> {
    let (Some(of_base), Some(variant)) = (image.bases.get(&lock.base), image.variants.get(&lock.target.variant)) else {
        return vec![format!("{} on {} is no longer in it", lock.target, lock.base)];
    };
    let names = super::locking::names(of_base, &variant.packages);
    let is: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut was: BTreeSet<String> = BTreeSet::new();
    for (key, package) in lock.packages(Role::Root) {
        match &package.source {
            Source::Project { path } => was.extend([path.clone()]),
            Source::Archive { .. } => match package.why.strip_prefix("requested as ") {
                Some(root) => was.extend([root.to_owned()]),
                // What is essential is locked as that, whether it is asked for too or not.
                None if matches!(package.why.as_str(), "essential" | "priority required")
                    && is.contains(key.name.as_str()) =>
                {
                    was.extend([key.name.to_string()]);
                }
                None => {}
            },
        }
    }
    let mut changes = Vec::new();
    sets(&mut changes, "packages", &was, &is);
    let loader = |name: &str| lock.packages(Role::Loader).any(|(key, _)| key.name.as_str() == name);
    let new = of_base.loader.packages.iter().filter(|name| !loader(name));
    changes.extend(new.map(|name| format!("loader: with {name}")));
    let now: BTreeSet<_> = image.skips(of_base).collect();
    let gone = lock.skips.iter().filter(|skip| !now.contains(skip));
    changes.extend(gone.map(|skip| format!("scripts.skip: without {} of {}", skip.script, skip.package)));
    let of_lock = |package: &str| lock.packages(Role::Root).any(|(key, _)| key.name.as_str() == package);
    let new = now.iter().filter(|skip| of_lock(&skip.package) && !lock.skips.contains(**skip));
    changes.extend(new.map(|skip| format!("scripts.skip: with {} of {}", skip.script, skip.package)));
    changes
}

fn sets(changes: &mut Vec<String>, key: &str, was: &BTreeSet<String>, is: &BTreeSet<String>) {
    changes.extend(was.difference(is).map(|name| format!("{key}: without {name}")));
    changes.extend(is.difference(was).map(|name| format!("{key}: with {name}")));
}
