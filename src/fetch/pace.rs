//! Time in downloads: pauses that a signal cuts short, the pace of requests to snapshot services, transfers that creep.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Patience;

#[expect(clippy::disallowed_methods, reason = "downloads wait for others, and no result depends on how long")]
fn now() -> Instant {
    Instant::now()
}

/// Sleeps for `duration` unless `halted` says to stop; returns false then.
pub(super) fn pause(duration: Duration, halted: &dyn Fn() -> bool) -> bool {
    let end = now() + duration;
    loop {
        if halted() {
            return false;
        }
        let left = end.saturating_duration_since(now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// A token bucket per host: so many requests at once, then one every so often.
#[derive(Debug, Default)]
pub(super) struct Pacer(Mutex<BTreeMap<String, Bucket>>);

#[derive(Debug)]
struct Bucket {
    /// Requests that may be made at once.
    tokens: u32,
    /// When the last token was added.
    filled: Instant,
    /// The host asked to be left alone until then.
    closed_until: Option<Instant>,
}

impl Pacer {
    /// Waits for leave to make a request to `host`; false when halted before.
    pub(super) fn enter(&self, host: &str, patience: &Patience, halted: &dyn Fn() -> bool) -> bool {
        loop {
            let wait = self.with(host, patience, |bucket| bucket.take(patience, now()));
            if wait.is_zero() {
                return !halted();
            }
            if !pause(wait, halted) {
                return false;
            }
        }
    }

    /// Lets nobody ask `host` for a while.
    pub(super) fn close(&self, host: &str, patience: &Patience, wait: Duration) {
        self.with(host, patience, |bucket| bucket.closed_until = Some(now() + wait));
    }

    fn with<T>(&self, host: &str, patience: &Patience, act: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Bucket { tokens: patience.burst, filled: now(), closed_until: None };
        act(buckets.entry(host.to_owned()).or_insert_with(new))
    }
}

impl Bucket {
    /// Zero when a token was taken, else how long to wait before asking again.
    fn take(&mut self, patience: &Patience, now: Instant) -> Duration {
        let closed = self.closed_until.map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
        if !closed.is_zero() {
            return closed;
        }
        while self.tokens < patience.burst && now.duration_since(self.filled) >= patience.between {
            self.tokens += 1;
            self.filled += patience.between;
        }
        if self.tokens == patience.burst {
            self.filled = now;
        }
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                Duration::ZERO
            }
            None => patience.between.saturating_sub(now.duration_since(self.filled)).max(Duration::from_millis(1)),
        }
    }
}

/// Notices a transfer that makes too little way, which no timeout of single reads does.
#[derive(Debug)]
pub(super) struct Watch {
    since: Instant,
    bytes: u64,
}

impl Watch {
    pub(super) fn start() -> Self {
        Self { since: now(), bytes: 0 }
    }

    /// Counts bytes; true while enough of them come.
    pub(super) fn count(&mut self, bytes: u64, patience: &Patience) -> bool {
        self.bytes += bytes;
        let past = now().duration_since(self.since);
        if past < patience.slow_after {
            return true;
        }
        let enough = self.bytes as f64 >= patience.slowest as f64 * past.as_secs_f64();
        *self = Self::start();
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_let_a_burst_through_and_then_a_trickle() {
        let patience = Patience { burst: 2, between: Duration::from_secs(10), ..Patience::USUAL };
        let start = now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut bucket = Bucket { tokens: 2, filled: start, closed_until: Some(at(5)) };
        for (time, wait) in
            [(0, 5), (4, 1), (5, 0), (5, 0), (5, 10), (14, 1), (15, 0), (20, 5), (60, 0), (60, 0), (60, 10)]
        {
            assert_eq!(bucket.take(&patience, at(time)), Duration::from_secs(wait), "at {time}");
        }
    }

    #[test]
    fn pauses_end_when_halted() {
        let hour = Duration::from_secs(3600);
        assert!(!pause(hour, &|| true));
        assert!(pause(Duration::ZERO, &|| false));
        let pacer = Pacer::default();
        pacer.close("host", &Patience::USUAL, hour);
        assert!(!pacer.enter("host", &Patience::USUAL, &|| true));
        assert!(pacer.enter("other", &Patience::USUAL, &|| false));
    }
}
