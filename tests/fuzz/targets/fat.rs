//! FAT images, read by the reader that verify uses.
#![no_main]

use bytes::Bytes;
use icos::fat;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = fat::read(&Bytes::copy_from_slice(data));
});
