//! A policy package (`.pp`): a module's policy and the texts that go with it, as libsepol's `module.c` reads it.
//!
//! A head of little-endian words (magic, version, number of sections, each section's offset), then the sections, each with a
//! magic number of its own.

use zerocopy::{FromBytes, Immutable, KnownLayout, little_endian::U32};

use super::Error;

/// `SEPOL_MODULE_PACKAGE_MAGIC`.
const PACKAGE_MAGIC: u32 = 0xf97c_ff8f;
/// `POLICYDB_MOD_MAGIC`: the module's policy; the magic is part of it.
const POLICY_MAGIC: u32 = 0xf97c_ff8d;
/// `SEPOL_PACKAGE_SECTION_*`: texts.
const FILE_CONTEXTS: u32 = 0xf97c_ff90;
const SEUSERS: u32 = 0x097c_ff91;
const USERS_EXTRA: u32 = 0x097c_ff92;
const NETFILTER: u32 = 0x097c_ff93;

const VERSION: u32 = 1;
/// One of each kind.
const MAX_SECTIONS: u32 = 5;

#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Head {
    magic: U32,
    version: U32,
    sections: U32,
}

/// A policy package taken apart; a section that isn't there is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Package<'a> {
    /// A module policy from its magic number on.
    pub policy: &'a [u8],
    pub file_contexts: &'a [u8],
    pub seusers: &'a [u8],
    pub users_extra: &'a [u8],
    pub netfilter_contexts: &'a [u8],
}

impl<'a> Package<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let bad = |what, offset| Error::Malformed { what, offset };
        let (head, rest) = Head::ref_from_prefix(bytes).map_err(|_| bad("a truncated head", bytes.len()))?;
        if head.magic.get() != PACKAGE_MAGIC {
            return Err(bad("no magic number of a policy package", 0));
        }
        let count = head.sections.get();
        match head.version.get() {
            VERSION if count <= MAX_SECTIONS => {}
            VERSION => return Err(bad("too many sections", 8)),
            number => return Err(Error::Unsupported { what: "version", number }),
        }
        let (starts, _) = <[U32]>::ref_from_prefix_with_elems(rest, count as usize)
            .map_err(|_| bad("a truncated list of sections", bytes.len()))?;
        let mut package = Self::default();
        for (index, start) in starts.iter().enumerate() {
            let start = start.get() as usize;
            let end = starts.get(index + 1).map_or(bytes.len(), |next| next.get() as usize);
            let section = bytes.get(start..end).ok_or(bad("a section outside the file", start))?;
            package.place(section).map_err(|what| bad(what, start))?;
        }
        if package.policy.is_empty() {
            return Err(bad("no policy", bytes.len()));
        }
        Ok(package)
    }

    fn place(&mut self, section: &'a [u8]) -> Result<(), &'static str> {
        let (magic, text) = U32::read_from_prefix(section).map_err(|_| "a truncated section")?;
        let (field, value) = match magic.get() {
            POLICY_MAGIC => (&mut self.policy, section),
            FILE_CONTEXTS => (&mut self.file_contexts, text),
            SEUSERS => (&mut self.seusers, text),
            USERS_EXTRA => (&mut self.users_extra, text),
            NETFILTER => (&mut self.netfilter_contexts, text),
            _ => return Err("a section of no known kind"),
        };
        if !field.is_empty() {
            return Err("a second section of one kind");
        }
        *field = value;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A package of these sections, each with its magic number.
    pub(in super::super) fn package(sections: &[(u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut start = 12 + 4 * sections.len();
        let words = [PACKAGE_MAGIC, VERSION, sections.len() as u32];
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        for (_, text) in sections {
            out.extend((start as u32).to_le_bytes());
            start += 4 + text.len();
        }
        for (magic, text) in sections {
            out.extend(magic.to_le_bytes());
            out.extend(*text);
        }
        out
    }

    #[test]
    fn takes_sections_apart() {
        let bytes = package(&[(POLICY_MAGIC, b"p"), (USERS_EXTRA, b"u"), (SEUSERS, b"s"), (FILE_CONTEXTS, b"")]);
        let found = Package::parse(&bytes).expect("well formed");
        assert_eq!((found.policy, found.users_extra, found.seusers), (&bytes[28..33], &b"u"[..], &b"s"[..]));
        assert_eq!((found.file_contexts, found.netfilter_contexts), (&b""[..], &b""[..]));
    }

    #[test]
    fn refuses_what_is_no_package() {
        let good = package(&[(POLICY_MAGIC, b"p")]);
        let check = |change: &dyn Fn(&mut Vec<u8>), expect: &str| {
            let mut bytes = good.clone();
            change(&mut bytes);
            assert_eq!(Package::parse(&bytes).expect_err("malformed").to_string(), expect);
        };
        check(&|bytes| bytes.truncate(3), "malformed policy package: a truncated head at byte 3");
        check(&|bytes| bytes[0] = 0, "malformed policy package: no magic number of a policy package at byte 0");
        check(&|bytes| bytes[4] = 2, "version 2 of a policy module");
        check(&|bytes| bytes[8] = 6, "malformed policy package: too many sections at byte 8");
        check(&|bytes| bytes[12] = 99, "malformed policy package: a section outside the file at byte 99");
        check(&|bytes| bytes[16] = 0, "malformed policy package: a section of no known kind at byte 16");
        check(&|bytes| bytes[8] = 0, "malformed policy package: no policy at byte 21");
    }
}
