//! Locks: what is read is written as it was, or not read.
#![no_main]

use icos::lock::{reader::read, writer::write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(lock) = read("a.lock", text) else { return };
    let written = write(&lock);
    assert_eq!(read("a.lock", &written).expect("what we wrote"), lock);
});
