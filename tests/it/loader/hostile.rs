//! Damaged ELF files: an error or another meaning, never a panic, and never more than the file can pay for.

use icos::elf::{self, Error};

use crate::support::{elf::Elf, random::Random};

fn sample() -> Elf {
    Elf::program(62, "/lib/ld.so")
        .soname("liba.so.1")
        .needs("libb.so.1")
        .rpath("$ORIGIN")
        .runpath("/a")
        .no_default_folders()
}

#[test]
fn what_the_sample_says() {
    for (elf, is_64) in [(sample(), true), (sample().narrow(), false)] {
        let found = elf::dynamic(&elf.build()).expect("an ELF file");
        assert_eq!((found.is_64, found.machine, found.is_shared, found.is_dynamic), (is_64, 62, true, true));
        assert_eq!(found.needed, [b"libb.so.1"]);
        assert_eq!(found.soname.as_deref(), Some(b"liba.so.1".as_slice()));
        assert_eq!(found.rpath.as_deref(), Some(b"$ORIGIN".as_slice()));
        assert_eq!(found.runpath.as_deref(), Some(b"/a".as_slice()));
        assert_eq!(found.interpreter.as_deref(), Some(b"/lib/ld.so".as_slice()));
        assert!(found.no_default_folders && !found.is_filter);
    }
}

#[test]
fn damage_is_no_panic() {
    let mut random = Random::new(7);
    for elf in [sample(), sample().narrow()] {
        let whole = elf.build();
        for len in 0..whole.len() {
            drop(elf::dynamic(&whole[..len]));
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                drop(elf::dynamic(&damaged));
            }
        }
        for _ in 0..20_000 {
            let mut damaged = whole.clone();
            for _ in 0..=random.below(6) {
                // Headers and the dynamic section, where numbers are.
                let at = random.below(0x300);
                damaged[at] = u8::try_from(random.below(256)).expect("a byte");
            }
            drop(elf::dynamic(&damaged));
        }
    }
}

#[test]
fn what_a_file_can_make_of_itself_is_bounded() {
    let many = |count: usize| (0..count).fold(Elf::library(62), |elf, _| elf.needs("x")).build();
    assert_eq!(elf::dynamic(&many(10_000)).map(|found| found.needed.len()), Ok(10_000));
    assert_eq!(elf::dynamic(&many(20_000)), Err(Error::Malformed));
    let long = |len: usize| Elf::library(62).soname(&"x".repeat(len)).build();
    assert_eq!(elf::dynamic(&long(4095)).map(|found| found.soname.map(|name| name.len())), Ok(Some(4095)));
    assert_eq!(elf::dynamic(&long(4096)), Err(Error::Malformed));
}
