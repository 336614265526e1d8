//! Whether a signed Release file is the one that was asked for: the right suite, fresh enough, not rolled back.

use crate::{date::Instant, deb::release::Release};

/// Which Release files are fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// A mirror that changes: `Valid-Until` holds against the machine's clock.
    Live { now: Instant },
    /// A snapshot service: the file is of the pinned instant or before. `Valid-Until` has passed for every old snapshot
    /// and says nothing.
    Pinned { instant: Instant },
    /// A lock names the file by its digest, so it was fresh then, and no clock is asked.
    Locked,
}

/// How far an archive's clock may run ahead of this machine's.
const CLOCK_SKEW: i64 = 3_600;

/// Why a validly signed Release file is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    #[error("{file}: asked for suite `{asked}`, but it is of suite `{suite}`, codename `{codename}`")]
    OtherSuite { file: String, asked: String, suite: String, codename: String },
    #[error("{file}: valid until {until} only, and it is {now}; the mirror is stale, or this machine's clock is wrong")]
    Stale { file: String, until: Instant, now: Instant },
    #[error("{file}: dated {date}, and it is {now}; this machine's clock is wrong")]
    Future { file: String, date: Instant, now: Instant },
    #[error("{file}: dated {date}, after the pinned instant {instant}")]
    AfterPin { file: String, date: Instant, instant: Instant },
    #[error("{file}: dated {date}, older than {not_before}, which the lock has already seen")]
    RolledBack { file: String, date: Instant, not_before: Instant },
}

/// Checks what a Release file says about itself. `not_before` is the date that the lock has it of already: going back is
/// refused everywhere, because many suites (bookworm, all of Ubuntu's) have no `Valid-Until` against a replay.
pub fn check(
    file: &str,
    release: &Release,
    asked: &str,
    freshness: Freshness,
    not_before: Option<Instant>,
) -> Result<(), ClaimError> {
    if !is_suite(release, asked) {
        return Err(ClaimError::OtherSuite {
            file: file.to_owned(),
            asked: asked.to_owned(),
            suite: release.suite.clone().unwrap_or_default(),
            codename: release.codename.clone().unwrap_or_default(),
        });
    }
    let (file, date) = (file.to_owned(), release.date);
    match freshness {
        Freshness::Live { now } => {
            if let Some(until) = release.valid_until.filter(|until| *until < now) {
                return Err(ClaimError::Stale { file, until, now });
            }
            if now.plus(CLOCK_SKEW) < date {
                return Err(ClaimError::Future { file, date, now });
            }
        }
        Freshness::Pinned { instant } if instant < date => return Err(ClaimError::AfterPin { file, date, instant }),
        Freshness::Pinned { .. } | Freshness::Locked => {}
    }
    match not_before.filter(|not_before| date < *not_before) {
        Some(not_before) => Err(ClaimError::RolledBack { file, date, not_before }),
        None => Ok(()),
    }
}

/// Ubuntu's pockets share a codename (`noble-security` has Suite `noble-security`, Codename `noble`), so that a codename
/// stands for the main suite only; Debian's have their own (`oldstable-security`, `bookworm-security`).
fn is_suite(release: &Release, asked: &str) -> bool {
    if release.suite.as_deref() == Some(asked) {
        return true;
    }
    let is_pocket = |suite: &String| suite.strip_prefix(asked).is_some_and(|pocket| pocket.starts_with('-'));
    release.codename.as_deref() == Some(asked) && !release.suite.as_ref().is_some_and(is_pocket)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(text: &str) -> Instant {
        Instant::from_compact(text).expect("a date")
    }

    fn release(suite: &str, codename: &str) -> Release {
        let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Release {
            origin: None,
            label: None,
            suite: name(suite),
            codename: name(codename),
            version: None,
            date: at("20250801T000000Z"),
            valid_until: Some(at("20250808T000000Z")),
            acquire_by_hash: false,
            not_automatic: false,
            but_automatic_upgrades: false,
            architectures: Vec::new(),
            components: Vec::new(),
            indexes_hold_all: false,
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn suites() {
        let freshness = Freshness::Live { now: at("20250802T000000Z") };
        let accepts = |suite, codename, asked| check("x", &release(suite, codename), asked, freshness, None).is_ok();
        for (suite, codename, asked, expect) in [
            ("oldstable", "bookworm", "bookworm", true),
            ("oldstable", "bookworm", "oldstable", true),
            ("oldstable-security", "bookworm-security", "bookworm-security", true),
            ("oldstable-security", "bookworm-security", "bookworm", false),
            ("oldstable", "bookworm", "bookworm-security", false),
            ("noble", "noble", "noble", true),
            ("noble-updates", "noble", "noble-updates", true),
            ("noble-updates", "noble", "noble", false),
            ("noble", "noble", "noble-updates", false),
            ("noble-updates", "noble", "noble-security", false),
            ("", "bookworm", "bookworm", true),
            ("", "", "bookworm", false),
        ] {
            assert_eq!(accepts(suite, codename, asked), expect, "{suite}, {codename}, asked for {asked}");
        }
        let error =
            check("InRelease", &release("noble-updates", "noble"), "noble", freshness, None).expect_err("a pocket");
        assert_eq!(
            error.to_string(),
            "InRelease: asked for suite `noble`, but it is of suite `noble-updates`, codename `noble`"
        );
    }

    #[test]
    fn freshness() {
        let live = |now| Freshness::Live { now: at(now) };
        let pinned = |instant| Freshness::Pinned { instant: at(instant) };
        let told = |freshness, not_before: &str| {
            let not_before = (!not_before.is_empty()).then(|| at(not_before));
            check("x", &release("s", "s"), "s", freshness, not_before).map_err(|error| error.to_string())
        };
        for (good, not_before) in [
            (live("20250801T000000Z"), ""),
            (live("20250808T000000Z"), "20250801T000000Z"),
            (live("20250731T233000Z"), ""),
            (pinned("20250801T000000Z"), ""),
            (pinned("20260101T000000Z"), "20250801T000000Z"),
            (Freshness::Locked, "20250801T000000Z"),
        ] {
            assert_eq!(told(good, not_before), Ok(()));
        }
        let rolled_back =
            "x: dated 2025-08-01T00:00:00Z, older than 2025-08-01T00:00:01Z, which the lock has already seen";
        for (bad, not_before, expect) in [
            (
                live("20250808T000001Z"),
                "",
                "x: valid until 2025-08-08T00:00:00Z only, and it is 2025-08-08T00:00:01Z; \
                 the mirror is stale, or this machine's clock is wrong",
            ),
            (
                live("20250731T220000Z"),
                "",
                "x: dated 2025-08-01T00:00:00Z, and it is 2025-07-31T22:00:00Z; this machine's clock is wrong",
            ),
            (
                pinned("20250731T235959Z"),
                "",
                "x: dated 2025-08-01T00:00:00Z, after the pinned instant 2025-07-31T23:59:59Z",
            ),
            (pinned("20260101T000000Z"), "20250801T000001Z", rolled_back),
            (live("20250802T000000Z"), "20250801T000001Z", rolled_back),
            (Freshness::Locked, "20250801T000001Z", rolled_back),
        ] {
            assert_eq!(told(bad, not_before), Err(expect.to_owned()));
        }
    }
}
