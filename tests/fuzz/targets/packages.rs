//! Indexes of packages.
#![no_main]

use icos::deb::packages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = packages::parse(data, "amd64");
});
