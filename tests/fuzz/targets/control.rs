//! Control files: every field is a part of the input, and reading ends.
#![no_main]

use icos::deb::control::{Comments, paragraphs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for comments in [Comments::Allow, Comments::Refuse] {
        for paragraph in paragraphs(data, comments).map_while(Result::ok) {
            for field in &paragraph.fields {
                assert!(
                    paragraph.fields.iter().filter(|other| other.name.eq_ignore_ascii_case(field.name)).count() == 1
                );
                assert!(field.value.len() <= data.len());
            }
        }
    }
});
