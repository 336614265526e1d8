//! Bundles: what is read is the one file that its manifest and contents make.
#![no_main]

use std::io::Cursor;

use icos::bundle::{Bundle, Error, Manifest, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = Manifest::read(data) {
        assert_eq!(manifest.text().as_bytes(), data);
    }
    let Ok(bundle) = Bundle::open("b", data.to_vec()) else { return };
    if bundle.verify(&|_| {}).is_err() {
        return;
    }
    let entries = &bundle.manifest().entries;
    let open = |entry: &icos::bundle::Entry| {
        let index = entries.iter().position(|other| other == entry).expect("one of them");
        let mut content = Vec::new();
        let copied = bundle.copy(index, &mut |piece| {
            content.extend_from_slice(piece);
            Ok::<(), Error>(())
        });
        copied.expect("verified");
        Ok((Cursor::new(content), entry.path.clone()))
    };
    let mut again = Vec::new();
    write(bundle.manifest(), "b", &mut again, open, &|_| {}).expect("what was read");
    assert_eq!(again, data);
});
