//! ext4 images, read by the reader that verify uses.
#![no_main]

use bytes::Bytes;
use icos::ext4;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = ext4::read(&Bytes::copy_from_slice(data));
});
