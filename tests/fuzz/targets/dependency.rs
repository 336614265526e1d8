//! Relations between packages: iterator and list agree.
#![no_main]

use icos::deb::dependency::{Field, clauses, relations};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for field in [Field::Depends, Field::Provides, Field::Conflicts] {
        let all = clauses(data, field);
        let one_by_one: Result<Vec<_>, _> = relations(data, field).collect();
        assert_eq!(all.is_ok(), one_by_one.is_ok());
    }
});
