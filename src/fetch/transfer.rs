//! One file from the first of its places that has it: rounds over the places, back-off between rounds, resumption.

use std::{
    io::{self, Read},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use super::{Attempt, Error, Fault, Net, pace};
use crate::{
    digest::Sha256,
    manifest::uri::Uri,
    mirror::Mirror,
    progress::Event,
    store::{self, Partial, Store},
};

/// Rounds without progress after which a file is given up.
const MAX_ROUNDS: u32 = 5;

/// Bytes that count as progress: a server that cuts every connection earlier is given up in the end.
const PROGRESS: u64 = 64 << 10;

const BUFFER: usize = 64 << 10;

/// Where a file can be asked for.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) uri: Uri,
    is_snapshot: bool,
}

impl Place {
    pub(super) fn new(mirror: &Mirror, path: &str) -> Self {
        Self { uri: mirror.root.join(path), is_snapshot: mirror.is_snapshot }
    }
}

/// Files that are fetched together: when one fails, the others stop.
pub(super) struct Run<'a> {
    pub(super) net: &'a Net<'a>,
    pub(super) failed: AtomicBool,
    /// Bytes that came over the network.
    pub(super) received: AtomicU64,
}

/// A file whose size and digest are known before it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// For messages.
    pub(super) name: &'a str,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
}

/// How an attempt ended that brought no file.
pub(super) enum Stop {
    /// Nothing else will help.
    Error(Error),
    /// Another place or another time may help.
    Fault { fault: Fault, progress: u64 },
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault { fault, progress: 0 }
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Error(error.into())
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(net: &'a Net<'a>) -> Self {
        Self { net, failed: AtomicBool::new(false), received: AtomicU64::new(0) }
    }

    pub(super) fn is_halted(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.net.settings.cancelled.load(Ordering::Relaxed)
    }

    fn check(&self) -> Result<(), Stop> {
        if self.is_halted() { Err(Stop::Error(Error::Cancelled)) } else { Ok(()) }
    }

    /// Brings a file into the store, unless it is there.
    pub(super) fn bring(&self, store: &Store, known: Known<'_>, places: &[Place]) -> Result<(), Error> {
        if store.deb(&known.sha256).is_some() {
            return Ok(());
        }
        if self.net.is_offline() {
            return Err(Error::Offline { name: known.name.to_owned() });
        }
        // Bytes that progress was told of already.
        let mut told = 0;
        self.rounds(known.name, places, |_, place| self.attempt(store, known, place, &mut told))
    }

    /// Reads a file of unknown size into memory.
    pub(super) fn read(&self, place: &Place, limit: u64) -> Result<Vec<u8>, Stop> {
        let mut reply = self.ask(place, 0)?;
        let mut bytes = Vec::new();
        let size = reply.total;
        self.copy(&mut reply.body, &mut |part| {
            if bytes.len() as u64 + part.len() as u64 > limit {
                return Err(Fault::TooLarge { limit }.into());
            }
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        match size {
            Some(size) if size != bytes.len() as u64 => Err(Fault::Cut { at: bytes.len() as u64, size }.into()),
            _ => Ok(bytes),
        }
    }

    /// Tries the places in turn, round after round, until `attempt` has what it wants.
    pub(super) fn rounds<T>(
        &self,
        name: &str,
        places: &[Place],
        mut attempt: impl FnMut(usize, &Place) -> Result<T, Stop>,
    ) -> Result<T, Error> {
        let net = self.net;
        if net.transport.is_none() {
            return Err(Error::Offline { name: name.to_owned() });
        }
        let mut faults: Vec<Option<Fault>> = places.iter().map(|_| None).collect();
        let mut idle_rounds = 0;
        loop {
            let mut progress = 0;
            let mut wait = Duration::ZERO;
            for (index, (place, fault)) in places.iter().zip(&mut faults).enumerate() {
                if fault.as_ref().is_some_and(Fault::is_final) {
                    continue;
                }
                match attempt(index, place) {
                    Ok(value) => return Ok(value),
                    Err(Stop::Error(error)) => return Err(error),
                    Err(Stop::Fault { fault: new, progress: more }) => {
                        wait = wait.max(new.wait());
                        progress = progress.max(more);
                        *fault = Some(new);
                    }
                }
            }
            idle_rounds = if progress >= PROGRESS { 0 } else { idle_rounds + 1 };
            let is_hopeless = faults.iter().flatten().all(Fault::is_final)
                || idle_rounds >= MAX_ROUNDS
                || wait > net.settings.patience.longest_wait;
            if is_hopeless {
                return Err(failed(name, places, faults));
            }
            let back_off = match idle_rounds {
                0 => Duration::ZERO,
                rounds => net.settings.patience.back_off * 2_u32.pow(rounds - 1),
            };
            let wait = wait.max(back_off);
            if let Some(fault) = faults.iter().flatten().find(|fault| !fault.is_final()) {
                let note = format!("{name}: {fault}; again in {:.1} s", wait.as_secs_f64());
                (net.settings.progress)(Event::Note(&note));
            }
            if !pace::pause(wait, &|| self.is_halted()) {
                return Err(Error::Cancelled);
            }
        }
    }

    fn attempt(&self, store: &Store, known: Known<'_>, place: &Place, told: &mut u64) -> Result<(), Stop> {
        let Some(mut partial) = store.partial(&known.sha256)? else { return Ok(()) };
        let size = known.size;
        if partial.len()? > size {
            partial.restart()?;
        }
        let resumed = partial.len()?;
        if resumed < size {
            self.download(&mut partial, size, place, told)?;
        }
        match partial.commit(size) {
            Ok(_) => Ok(()),
            // Bytes of two mirrors may not fit together; from its beginning the file can still be right.
            Err(store::Error::Digest { .. }) if resumed > 0 => Err(Fault::Resumed.into()),
            Err(store::Error::Digest { found, .. }) => Err(Fault::Digest { found, expected: known.sha256 }.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds the missing bytes to a partial file.
    fn download(&self, partial: &mut Partial<'_>, size: u64, place: &Place, told: &mut u64) -> Result<(), Stop> {
        let mut start = partial.len()?;
        let mut reply = self.ask(place, start)?;
        if let Some(found) = reply.total.filter(|found| *found != size) {
            return Err(Fault::Size { found, expected: size }.into());
        }
        if reply.start != start {
            if reply.start != 0 {
                return Err(Fault::Range.into());
            }
            partial.restart()?;
            start = 0;
        }
        let mut at = start;
        let copied = self.copy(&mut reply.body, &mut |bytes| {
            at += bytes.len() as u64;
            if at > size {
                partial.restart()?;
                return Err(Fault::Size { found: at, expected: size }.into());
            }
            partial.append(bytes)?;
            if at > *told {
                (self.net.settings.progress)(Event::Advance(at - *told));
                *told = at;
            }
            Ok(())
        });
        match copied {
            Ok(()) if at == size => Ok(()),
            Ok(()) => Err(Stop::Fault { fault: Fault::Cut { at, size }, progress: at - start }),
            Err(Stop::Fault { fault: Fault::Broken { why }, .. }) => {
                Err(Stop::Fault { fault: Fault::Broken { why }, progress: at - start })
            }
            Err(stop) => Err(stop),
        }
    }

    fn ask(&self, place: &Place, from: u64) -> Result<super::client::Reply, Stop> {
        self.check()?;
        let Net { settings, pacer, transport, .. } = self.net;
        let host = place.uri.host();
        if place.is_snapshot && !pacer.enter(host, &settings.patience, &|| self.is_halted()) {
            return Err(Stop::Error(Error::Cancelled));
        }
        let offline = || Stop::Error(Error::Offline { name: place.uri.to_string() });
        let reply = transport.as_ref().ok_or_else(offline)?.get(&place.uri, from);
        if let (true, Err(Fault::Busy { wait: Some(wait), .. })) = (place.is_snapshot, &reply) {
            pacer.close(host, &settings.patience, (*wait).min(settings.patience.longest_wait));
        }
        Ok(reply?)
    }

    fn copy(&self, body: &mut dyn Read, take: &mut dyn FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        let mut buffer = vec![0; BUFFER];
        let mut watch = pace::Watch::start();
        loop {
            self.check()?;
            let count = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Fault::Broken { why: error.to_string() }.into()),
            };
            self.received.fetch_add(count as u64, Ordering::Relaxed);
            take(&buffer[..count])?;
            if !watch.count(count as u64, &self.net.settings.patience) {
                return Err(Fault::Slow { slowest: self.net.settings.patience.slowest }.into());
            }
        }
    }
}

fn failed(name: &str, places: &[Place], faults: Vec<Option<Fault>>) -> Error {
    let attempts = places.iter().zip(faults);
    let attempts = attempts.filter_map(|(place, fault)| Some(Attempt { uri: place.uri.clone(), fault: fault? }));
    Error::Failed { name: name.to_owned(), attempts: attempts.collect() }
}
