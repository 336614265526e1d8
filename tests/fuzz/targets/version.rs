//! Versions: a total order, which what is accepted keeps.
#![no_main]

use std::cmp::Ordering;

use icos::deb::version::{Version, compare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let parts: Vec<&[u8]> = data.splitn(3, |&byte| byte == b' ').collect();
    if let [a, b, c] = parts[..] {
        assert_eq!(compare(a, b), compare(b, a).reverse());
        assert_eq!(compare(a, a), Ordering::Equal);
        if compare(a, b).is_le() && compare(b, c).is_le() {
            assert!(compare(a, c).is_le());
        }
    }
    if let Some(version) = std::str::from_utf8(data).ok().and_then(|text| Version::new(text).ok()) {
        assert_eq!(Version::new(version.as_str()).as_ref(), Ok(&version));
    }
});
