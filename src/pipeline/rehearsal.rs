//! Rehearsing a lock before it is written: its packages are configured in memory as a build does it, overlays included.
//!
//! What passes is remembered by a digest of everything that it follows from, so that only a change is rehearsed again.

use std::collections::BTreeSet;

use super::{
    PipelineError, Refused, Result, Session, assemble, base, build::load_overlays, fetch, image_file,
    locking::requested, sums,
};
use crate::{
    configure::{self, Options},
    digest::{Hasher, Sha256},
    lock::{Lock, Role},
    manifest::{image::Image, skip::Skip},
    overlay,
    progress::{Event, Unit},
    shell::Machine,
};

/// To be raised whenever a rehearsal may end otherwise than before.
const REHEARSAL: u64 = 1;

/// A rehearsal that was passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rehearsed {
    /// Skipped scripts that would run to their end.
    pub unneeded: Vec<Skip>,
    /// Whether it was passed before.
    #[serde(skip)]
    pub remembered: bool,
}

/// Rehearses what a lock comes to. Its packages are brought into the store.
pub fn rehearse(session: &Session<'_>, lock: &Lock) -> Result<Rehearsed> {
    let (image, _) = session.project.image(&lock.target.os)?;
    let overlays = load_overlays(session, &image, &lock.target)?;
    let options = assemble::locked(session, &image, lock);
    let key = key(lock, &options, &overlays);
    let known = session.store.answer(&key).and_then(|answer| serde_json::from_slice::<Rehearsed>(&answer).ok());
    let rehearsed = match known {
        Some(known) => Rehearsed { remembered: true, ..known },
        None => {
            fetch(session, &base(session.project, &lock.base)?, lock)?;
            let rehearsed = pass(session, lock, &image, &options, &overlays)?;
            let text = serde_json::to_vec(&rehearsed).expect("texts have a form in JSON");
            session.store.keep_answer(&key, &text)?;
            rehearsed
        }
    };
    let file = image_file(&lock.target.os);
    for Skip { package, script, .. } in &rehearsed.unneeded {
        let text = format!("{file}: {script} of {package} is skipped, but it runs to its end; the skip can go");
        (session.progress)(Event::Warning(&text));
    }
    Ok(rehearsed)
}

/// Configures the packages and applies the overlays; refuses what fails in between, all at once.
fn pass(
    session: &Session<'_>,
    lock: &Lock,
    image: &Image,
    options: &Options,
    overlays: &[overlay::Loaded],
) -> Result<Rehearsed> {
    let layers = assemble::root_layers(session, lock)?;
    (session.progress)(Event::Stage { name: "rehearse", unit: Unit::Packages, total: layers.len() as u64 });
    let rehearsal = configure::rehearse(&layers, options, &|count| (session.progress)(Event::Advance(count)))?;
    let (mut steps, mut end) = (Vec::new(), None);
    match rehearsal.end {
        Ok(installed) => {
            let mut machine = Machine::new(installed.tree, options.epoch, &options.architecture, options.limits);
            machine.ids.clone_from(&options.ids);
            for overlay in overlays {
                steps.extend(overlay::rehearse(&mut machine, overlay));
            }
            if let Some((kind, name)) = machine.absent_id() {
                return Err(PipelineError::AbsentId { kind, name: name.to_owned() });
            }
        }
        Err(error) if rehearsal.failures.is_empty() => return Err(error.into()),
        Err(error) => end = Some(error),
    }
    if rehearsal.failures.is_empty() && steps.is_empty() {
        return Ok(Rehearsed { unneeded: rehearsal.unneeded, remembered: false });
    }
    let requested = requested(session, image, &lock.base, &lock.target.variant)?;
    let refused = Refused::new(lock, image, &requested, &rehearsal.failures, &steps, end.as_ref());
    Err(PipelineError::Refused(Box::new(refused)))
}

/// A digest of everything that a rehearsal follows from.
fn key(lock: &Lock, options: &Options, overlays: &[overlay::Loaded]) -> Sha256 {
    let mut hasher = Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(b"rehearsal");
    add(&REHEARSAL.to_le_bytes());
    add(env!("CARGO_PKG_VERSION").as_bytes());
    add(&options.epoch.seconds().to_le_bytes());
    add(options.architecture.as_bytes());
    add(options.foreign.join(" ").as_bytes());
    add(options.kernel_release.as_bytes());
    add(&options.preseed);
    add(format!("{:?}", options.ids).as_bytes());
    add(format!("{:?}", options.limits).as_bytes());
    // A reason changes nothing, but it is part of what is remembered.
    let skips: BTreeSet<&Skip> = options.skips.iter().collect();
    add(&(skips.len() as u64).to_le_bytes());
    for skip in skips {
        [&skip.package, &skip.script, &skip.reason].iter().for_each(|text| add(text.as_bytes()));
    }
    add(&(overlays.len() as u64).to_le_bytes());
    overlays.iter().for_each(|overlay| add(&overlay.digest().0));
    sums(lock, Role::Root).iter().for_each(|sum| add(&sum.0));
    hasher.finish()
}
