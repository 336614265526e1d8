//! Kernel modules: what a module file says of itself, and the indexes that module loading reads.

use std::borrow::Cow;

use object::{Object, ObjectSection, ObjectSymbol};

use crate::deb::compress::{self, Compression, Limits};

mod depmod;
mod trie;

pub use depmod::{Found, Indexes, Tables, index};

/// Bounds for compressed modules.
const LIMITS: Limits = Limits { output: 1 << 30, ..Limits::PACKAGE };

/// Why a file is no kernel module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: decompressing the module")]
    Compressed {
        path: String,
        #[source]
        source: compress::Error,
    },
    #[error("{path}: not a module")]
    Elf {
        path: String,
        #[source]
        source: object::Error,
    },
    #[error("modules in a dependency cycle: {}", .0.join(", "))]
    Cycle(Vec<String>),
}

/// What a module file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// `.modinfo`: keys and values, in the file's order.
    pub info: Vec<(Vec<u8>, Vec<u8>)>,
    /// Symbols that it gives to others, in the file's order.
    pub exports: Vec<Vec<u8>>,
    /// Symbols that it takes from others.
    pub imports: Vec<Vec<u8>>,
}

/// Whether a file's name is that of a module: `NAME.ko`, or that compressed.
pub fn is_module(name: &[u8]) -> bool {
    let plain = strip_compression(name);
    plain.len() > 3 && plain.ends_with(b".ko")
}

/// A module's path without the suffix that tells its compression.
pub fn strip_compression(path: &[u8]) -> &[u8] {
    [&b".gz"[..], b".xz", b".zst"].iter().find_map(|suffix| path.strip_suffix(*suffix)).unwrap_or(path)
}

/// A module's name from its path: up to the first dot, with `_` for `-`.
pub fn name(path: &[u8]) -> Vec<u8> {
    let base = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
    let base = base.split(|&b| b == b'.').next().unwrap_or(base);
    base.iter().map(|&b| if b == b'-' { b'_' } else { b }).collect()
}

/// An alias as look-ups compare it: `_` for `-` outside brackets; `None` when a bracket has no other.
pub fn normal_alias(alias: &[u8]) -> Option<Vec<u8>> {
    let mut open = false;
    let mut normal = Vec::with_capacity(alias.len());
    for &byte in alias {
        match byte {
            b'[' => open = true,
            b']' if !open => return None,
            b']' => open = false,
            _ => {}
        }
        normal.push(if byte == b'-' && !open { b'_' } else { byte });
    }
    (!open).then_some(normal)
}

/// `key=value` strings with a zero byte behind each, as `.modinfo` and `modules.builtin.modinfo` hold them.
pub fn strings(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pair = |text: &[u8]| match memchr::memchr(b'=', text) {
        Some(equals) => (text[..equals].to_vec(), text[equals + 1..].to_vec()),
        None => (text.to_vec(), Vec::new()),
    };
    bytes.split(|&b| b == 0).filter(|text| !text.is_empty()).map(pair).collect()
}

/// Reads a module file, compressed as its name says.
pub fn read(path: &[u8], bytes: &[u8]) -> Result<Module, Error> {
    let shown = || path.escape_ascii().to_string();
    let compression = match () {
        () if path.ends_with(b".gz") => Compression::Gzip,
        () if path.ends_with(b".xz") => Compression::Xz,
        () if path.ends_with(b".zst") => Compression::Zstd,
        () => Compression::None,
    };
    let plain = match compression {
        Compression::None => Cow::Borrowed(bytes),
        _ => Cow::Owned(
            compress::decode_to_vec(compression, bytes, &LIMITS)
                .map_err(|source| Error::Compressed { path: shown(), source })?,
        ),
    };
    parse(&plain).map_err(|source| Error::Elf { path: shown(), source })
}

fn parse(bytes: &[u8]) -> Result<Module, object::Error> {
    let file = object::File::parse(bytes)?;
    let section = |name: &str| file.section_by_name(name).map_or(Ok(&[][..]), |section| section.data());
    let mut module = Module { info: strings(section(".modinfo")?), ..Module::default() };
    for symbol in file.symbols() {
        let name = symbol.name_bytes()?;
        if let Some(exported) = name.strip_prefix(b"__crc_") {
            module.exports.push(exported.to_vec());
        } else if symbol.is_undefined() && !name.is_empty() {
            module.imports.push(name.to_vec());
        }
    }
    // Without checksums of symbols the names of the exported ones are listed alone.
    if module.exports.is_empty() {
        let names = section("__ksymtab_strings")?.split(|&b| b == 0).filter(|name| !name.is_empty());
        module.exports = names.map(<[u8]>::to_vec).collect();
    }
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |path: &str, expect: &str| assert_eq!(name(path.as_bytes()).escape_ascii().to_string(), expect);
        check("kernel/fs/ext4/ext4.ko", "ext4");
        check("snd-hda-intel.ko.xz", "snd_hda_intel");
        assert!(is_module(b"a.ko.zst") && is_module(b"a.ko") && !is_module(b".ko") && !is_module(b"a.o"));
    }

    #[test]
    fn aliases() {
        let check = |alias: &str, expect: Option<&str>| {
            assert_eq!(normal_alias(alias.as_bytes()).as_deref(), expect.map(str::as_bytes), "{alias}");
        };
        check("net-pf-10", Some("net_pf_10"));
        check("a-[0-9]-b", Some("a_[0-9]_b"));
        check("a]", None);
        check("a[", None);
    }
}
