//! ELF files as the loader reads them.
#![no_main]

use icos::elf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = elf::dynamic(data);
});
