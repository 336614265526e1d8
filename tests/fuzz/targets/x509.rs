//! PEM files of certificates.
#![no_main]

use icos::x509;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = x509::pem(data);
});
