//! Release files.
#![no_main]

use icos::deb::release;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = release::parse(text);
    }
});
