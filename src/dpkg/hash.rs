//! The hash tables of dpkg, as far as the order in which it walks them shows: in what it writes and in what it configures first.

/// FNV-1a of 32 bits, over `char`s that are signed as they are on amd64.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |hash: u32, &byte| {
        let character = i32::from(byte.cast_signed()).cast_unsigned();
        (hash ^ character).wrapping_mul(16_777_619)
    })
}

/// Where a package's name is kept in the table of packages.
pub fn package_bin(name: &str) -> u32 {
    fnv(name.to_ascii_lowercase().as_bytes()) % 65_521
}

/// Where a path is kept in the table of paths; leading slashes don't count.
pub fn path_bin(path: &[u8]) -> u32 {
    let start = path.iter().position(|&b| b != b'/').unwrap_or(path.len());
    fnv(&path[start..]) % 262_139
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_fnv_1a() {
        // From the test vectors of the algorithm's authors (test_fnv.c).
        assert_eq!(fnv(b""), 0x811c_9dc5);
        assert_eq!(fnv(b"a"), 0xe40c_292c);
        assert_eq!(fnv(b"foobar"), 0xbf9c_f968);
    }

    #[test]
    fn walks_as_dpkg_does() {
        // The order in which dpkg-divert 1.21 wrote the two diversions of dash.
        assert!(path_bin(b"/usr/share/man/man1/sh.1.gz") < path_bin(b"/bin/sh"));
        assert_eq!(package_bin("DPKG"), package_bin("dpkg"));
    }
}
