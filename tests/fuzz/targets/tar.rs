//! Archives: a tree that was read is the same tree after it has been written and read again.
#![no_main]

use bytes::Bytes;
use icos::{tar, tree::dump};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(tree) = tar::read_tree(&Bytes::copy_from_slice(data)) else { return };
    let Ok(archive) = tar::archive(&tree) else { return };
    if archive.len() > 16 << 20 {
        return;
    }
    let bytes = archive.bytes(16 << 20).expect("within the limit");
    let again = tar::read_tree(&bytes).expect("what we wrote");
    assert_eq!(dump(&tree), dump(&again));
});
