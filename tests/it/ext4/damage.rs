//! Damaged images, which the reader must refuse.

use std::os::unix::fs::FileExt;

use bytes::Bytes;
use icos::{
    ext4::{self, ReadError},
    tree::dump,
};

use super::{BASE, Image, MIB, add, file, new_tree, noise, options, sparse, xattrs};

/// A bit flipped in metadata is noticed; one in contents is not, as ext4 has no checksums of data.
#[test]
fn damage_is_noticed() {
    let mut tree = new_tree();
    for number in 0..200 {
        add(&mut tree, format!("/a-name-that-takes-room-{number}"), file(""));
    }
    let runs: Vec<_> = (0..10).map(|number| (number << 20, noise(10))).collect();
    let id = add(&mut tree, "/fragments", sparse(10 << 20, &runs));
    tree.stat_mut(id).xattrs = xattrs(&[("user.a", &noise(500))]);
    let image = Image::new(&tree, &options(MIB));
    let mut bytes = vec![0; MIB as usize];
    image.file.as_file().read_exact_at(&mut bytes, BASE).expect("readable");
    let is_data = |block: &&[u8]| block.starts_with(&noise(10));
    assert_eq!(bytes.chunks(4096).filter(is_data).count(), 10);
    // Zeros may be in nobody's use; everything else is.
    let used = |at: &usize| bytes[*at] != 0 && !is_data(&&bytes[at / 4096 * 4096..]);
    let places: Vec<usize> = (0..bytes.len()).filter(used).step_by(11).collect();
    let read = |bytes: &[u8]| ext4::read(&Bytes::copy_from_slice(bytes)).map(|read| dump(&read.tree));
    let whole = read(&bytes).expect("readable");
    let mut unnoticed: Vec<usize> = Vec::new();
    for at in places {
        bytes[at] ^= 0x10;
        if read(&bytes).as_ref() == Ok(&whole) {
            unnoticed.push(at);
        }
        bytes[at] ^= 0x10;
    }
    assert_eq!(unnoticed, Vec::<usize>::new());
    assert_eq!(read(&bytes[..4096]), Err(ReadError::Short { needed: MIB, given: 4096 }));
}
