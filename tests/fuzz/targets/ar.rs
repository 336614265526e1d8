//! Packages: members are parts of the file, and decompressing them is bounded.
#![no_main]

use bytes::Bytes;
use icos::deb::{
    archive,
    compress::{Limits, decode_to_vec},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(archive) = archive::read(&Bytes::copy_from_slice(data)) else { return };
    let limits = Limits { output: 1 << 20, ratio: 1000, window: 8 << 20 };
    for part in [archive.control, archive.data] {
        if let Ok(plain) = decode_to_vec(part.compression, &part.bytes, &limits) {
            assert!(plain.len() as u64 <= limits.output);
        }
    }
});
