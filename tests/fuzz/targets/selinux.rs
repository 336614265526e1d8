//! SELinux's policy packages and file contexts.
#![no_main]

use icos::selinux::{Files, Kind, Labels, Package, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(package) = Package::parse(data) {
        let _ = Policy::parse(package.policy);
    }
    if let Ok(labels) = Labels::new(&Files { file_contexts: data, ..Files::default() }) {
        let _ = labels.lookup(data, Kind::Regular);
    }
});
