//! Release files and what they claim.
#![no_main]

use icos::{
    date::Instant,
    deb::release,
    trust::{Freshness, check_claims},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(release) = release::parse(text) else { return };
    let time = Instant::from_seconds(1_750_000_000);
    for freshness in [Freshness::Live { now: time }, Freshness::Pinned { instant: time }] {
        let _ = check_claims("a", &release, "sid", freshness, Some(time));
    }
});
