//! Signed files and key files. The keys are a committed base's, so that nothing made up here may be trusted.
#![no_main]

use std::sync::LazyLock;

use icos::{
    date::Instant,
    manifest::base::Base,
    trust::{Keyring, clearsigned, detached},
};
use libfuzzer_sys::fuzz_target;

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../snapshots");
    let text = std::fs::read_to_string(format!("{root}/debian-bookworm/base.toml")).expect("committed");
    let base = Base::parse("base.toml", "debian-bookworm", &text).expect("a base");
    let keys = base.archives.iter().flat_map(|archive| &archive.keys);
    let file = |name: &String| (name.clone(), std::fs::read(format!("{root}/keys/{name}")).expect("committed"));
    let files: Vec<_> = keys.clone().map(|key| file(&key.file)).collect();
    let pins: Vec<_> = keys.map(|key| key.fingerprint.clone()).collect();
    Keyring::new(&pins, &files).expect("all pins are there")
});

fuzz_target!(|data: &[u8]| {
    let now = Instant::from_seconds(1_750_000_000);
    let signed = clearsigned("a", data, &KEYRING, now);
    assert!(signed.is_err(), "nobody here has the key");
    let half = data.len() / 2;
    assert!(detached("a", &data[..half], &data[half..], &KEYRING, now).is_err(), "nobody here has the key");
    assert!(detached("a", b"a: b\n", data, &KEYRING, now).is_err(), "nobody here has the key");
    let _ = Keyring::new(&[], &[("a.asc".into(), data.to_vec())]);
});
