//! A base moved to another instant: new locks of its targets, and what they change.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    PipelineError, Result, Session, assemble, base, base_of, definitions, fetch, lock as make_lock, read_any_lock,
    rehearse,
};
use crate::{
    configure::{self, Cause},
    date::Instant,
    epoch::machine_now,
    lock::{self, Lock, Role},
    manifest::{
        base::{Archive, Base, Hold, edit},
        project::Target,
    },
    progress::{Event, Unit},
    review::{Lines, Review, Side, documents::Documents},
    tree::Tree,
};

/// What a base is to be moved to.
#[derive(Clone, Debug)]
pub struct Bump {
    pub base: String,
    /// Absent: the newest there is.
    pub to: Option<Instant>,
    /// Packages, by name or by their source's, that alone move; empty when all do. What an earlier bump let move goes on moving.
    pub packages: Vec<String>,
    /// Targets with a lock on the base.
    pub targets: Vec<Target>,
    /// Whether a script that icos cannot run refuses the new locks.
    pub rehearse: bool,
}

/// What a bump comes to. Nothing was written yet.
#[derive(Debug)]
pub struct Bumped {
    pub reviews: Vec<Review>,
    /// New texts by file, the locks before the base's definition; only of those that differ.
    pub files: Vec<(PathBuf, String)>,
}

/// One target's new lock.
struct Moved {
    file: PathBuf,
    text: String,
    review: Review,
    /// Those of the bump's packages that the target has, or has had.
    named: BTreeSet<String>,
    /// Whether the old lock follows from the definitions as they are.
    was_current: bool,
}

/// Instants of live services are rounded down to this many seconds, so that a second bump in the hour finds the same.
const LATEST_STEP: i64 = 3600;

/// Locks a base's targets anew at another instant.
///
/// When the newest there is brings nothing, the base stays where it is.
pub fn bump(session: &Session<'_>, bump: &Bump) -> Result<Bumped> {
    let definition = definition(session, bump)?;
    let project = definition.as_ref().map(|(_, text)| session.project.with_base(&bump.base, text));
    let after = Session { project: project.as_ref().unwrap_or(session.project), ..*session };
    let mut moved = Vec::new();
    for target in &bump.targets {
        moved.push(relock(session, &after, bump, target).map_err(|source| PipelineError::Locking {
            target: target.clone(),
            base: bump.base.clone(),
            is_held: !bump.packages.is_empty(),
            source: Box::new(source),
        })?);
    }
    for package in bump.packages.iter().filter(|package| !moved.iter().any(|moved| moved.named.contains(*package))) {
        let text = format!(
            "no target on {} has the package or source `{package}`: that it may move changes nothing yet",
            bump.base
        );
        (session.progress)(Event::Warning(&text));
    }
    let stays = bump.to.is_none() && definition.is_some();
    let stays = stays && moved.iter().all(|moved| moved.was_current && moved.review.is_empty());
    let mut files = Vec::new();
    if !stays {
        for Moved { file, text, .. } in &moved {
            files.push((file.clone(), text.clone()));
        }
        files.extend(definition);
        files.retain(|(file, text)| fs_err::read_to_string(file).ok().as_ref() != Some(text));
    }
    Ok(Bumped { reviews: moved.into_iter().map(|moved| moved.review).collect(), files })
}

/// Locks one target as it will be `after`.
fn relock(session: &Session<'_>, after: &Session<'_>, bump: &Bump, target: &Target) -> Result<Moved> {
    let file = session.project.lock_file(&bump.base, target);
    let before = read_any_lock(session.project, &bump.base, target)?.ok_or_else(|| PipelineError::NoLock {
        file: session.project.relative(&file),
        target: target.clone(),
        base: bump.base.clone(),
    })?;
    let locked = make_lock(after, target, &bump.base)?;
    if bump.rehearse {
        rehearse(after, &locked.lock)?;
    }
    let was_current = before.stale(&definitions(session.project, &bump.base, &target.os)?).is_empty();
    let sides = [configured(after, &before)?, configured(after, &locked.lock)?];
    let has = |name: &&String| sides.iter().any(|side| side.documents.has(name));
    let named = bump.packages.iter().filter(has).cloned().collect();
    let review = review([&before, &locked.lock], &sides);
    Ok(Moved { file, text: locked.text, review, named, was_current })
}

/// The base's file and its new text; `None` when the base is of live mirrors alone.
fn definition(session: &Session<'_>, bump: &Bump) -> Result<Option<(PathBuf, String)>> {
    let now = base(session.project, &bump.base)?;
    let live = |what| PipelineError::Live { base: bump.base.clone(), what };
    if !bump.packages.is_empty() && !now.archives.iter().all(Archive::has_past) {
        return Err(live("no package can be held"));
    }
    let Some(from) = now.timestamp else {
        return if bump.to.is_some() { Err(live("no instant can be chosen")) } else { Ok(None) };
    };
    let to = instant(bump)?;
    let hold = (!bump.packages.is_empty()).then(|| hold(&now, from, &bump.packages));
    let since = hold.as_ref().map_or(from, |hold| hold.instant);
    if to < from || (hold.is_some() && to <= since) {
        let (from, to) = (from.max(since).to_compact(), to.to_compact());
        return Err(PipelineError::Backwards { base: bump.base.clone(), from, to });
    }
    let (file, text) = session.project.base(&bump.base)?;
    let text = edit::moved(&text, to, hold.as_ref());
    let is_moved = |after: &Base| after.timestamp == Some(to) && after.hold == hold;
    if !Base::parse(&file, &bump.base, &text).is_ok_and(|after| is_moved(&after)) {
        return Err(PipelineError::Unmovable { file });
    }
    Ok(Some((session.project.base_file(&bump.base), text)))
}

fn instant(bump: &Bump) -> Result<Instant> {
    let now = Instant::from_seconds(machine_now());
    match bump.to {
        None => Ok(Instant::from_seconds(now.seconds().div_euclid(LATEST_STEP) * LATEST_STEP)),
        Some(timestamp) if timestamp > now => Err(PipelineError::Future { base: bump.base.clone(), timestamp, now }),
        Some(to) => Ok(to),
    }
}

/// What stays as it is. Packages that an earlier bump let move would go back if they were held now.
fn hold(now: &Base, from: Instant, packages: &[String]) -> Hold {
    let before = now.hold.as_ref();
    let names: BTreeSet<&String> = before.into_iter().flat_map(|hold| &hold.except).chain(packages).collect();
    Hold { instant: before.map_or(from, |hold| hold.instant), except: names.into_iter().cloned().collect() }
}

/// What changes between the locks in two files.
pub fn diff(session: &Session<'_>, old: &Path, new: &Path) -> Result<Review> {
    let read = |file: &Path| -> Result<Lock> {
        let name = session.project.relative(file);
        Ok(lock::reader::read(&name, &fs_err::read_to_string(file)?)?)
    };
    let (old, new) = (read(old)?, read(new)?);
    Ok(review([&old, &new], &[configured(session, &old)?, configured(session, &new)?]))
}

/// What changes between two locks.
fn review(locks: [&Lock; 2], sides: &[Configured; 2]) -> Review {
    let side = |at: usize| Side { lock: locks[at], documents: &sides[at].documents, tree: &sides[at].tree };
    Review::new(side(0), side(1), Lines::between(&sides[0].scripts, &sides[1].scripts))
}

/// What a lock's packages come to, fetched and configured.
struct Configured {
    tree: Tree,
    documents: Documents,
    /// Those that icos cannot run.
    scripts: BTreeSet<String>,
}

fn configured(session: &Session<'_>, lock: &Lock) -> Result<Configured> {
    let (image, _) = session.project.image(&lock.target.os)?;
    fetch(session, &base_of(session.project, lock)?, lock)?;
    let layers = BTreeMap::from([
        (Role::Loader, assemble::loader_layers(session, lock)?),
        (Role::Root, assemble::root_layers(session, lock)?),
    ]);
    let mut documents = Documents::default();
    for (role, layers) in &layers {
        let names = lock.packages(*role).map(|(key, _)| key.name.as_str());
        names.zip(layers).for_each(|(name, layer)| documents.add(name, layer));
    }
    let layers = &layers[&Role::Root];
    (session.progress)(Event::Stage { name: "compare", unit: Unit::Packages, total: layers.len() as u64 });
    let options = assemble::locked(session, &image, lock);
    let rehearsal = configure::rehearse(layers, &options, &|count| (session.progress)(Event::Advance(count)))?;
    let scripts = rehearsal.failures.iter().map(|failure| {
        let cause = match &failure.cause {
            Cause::Status(status) => format!("it ends with status {status}"),
            Cause::Fatal(fatal) => fatal.to_string(),
        };
        format!("{} of {}: {cause}", failure.script, failure.package)
    });
    let scripts = scripts.collect();
    Ok(Configured { tree: rehearsal.end?.tree, documents, scripts })
}
