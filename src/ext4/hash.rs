//! The hash by which ext4 orders the names of a large directory: half MD4, of names taken as unsigned or signed characters.

/// How the file system at hand hashes names.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameHasher {
    state: [u32; 4],
    signed: bool,
}

/// The last hash, which marks the end of a directory; names that have it get the one before.
const END: u32 = 0x7fff_ffff << 1;

impl NameHasher {
    /// `seed` as the superblock has it; all zero stands for MD4's own initial state.
    pub(super) fn new(seed: &[u8; 16], signed: bool) -> Self {
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(seed.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        if state == [0; 4] {
            state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
        }
        Self { state, signed }
    }

    /// The hash of a name; its lowest bit is free for the index.
    pub(super) fn hash(&self, name: &[u8]) -> u32 {
        let mut state = self.state;
        let mut rest = name;
        while !rest.is_empty() {
            half_md4(&mut state, &self.words(rest));
            rest = &rest[rest.len().min(32)..];
        }
        match state[1] & !1 {
            END => END - 2,
            hash => hash,
        }
    }

    /// The first 32 bytes as big-endian words, filled up with the length of what is left of the name.
    fn words(&self, rest: &[u8]) -> [u32; 8] {
        let length = rest.len() as u32 & 0xff;
        let pad = length * 0x0101_0101;
        let mut words = [pad; 8];
        for (word, bytes) in words.iter_mut().zip(rest.chunks(4)) {
            for &byte in bytes {
                let value = if self.signed { i32::from(byte.cast_signed()).cast_unsigned() } else { u32::from(byte) };
                *word = value.wrapping_add(*word << 8);
            }
        }
        words
    }
}

/// MD4 (RFC 1320) with half the words of a block and half the steps.
fn half_md4(state: &mut [u32; 4], words: &[u32; 8]) {
    const SHIFTS: [[u32; 4]; 3] = [[3, 7, 11, 19], [3, 5, 9, 13], [3, 9, 11, 15]];
    const ORDER: [[usize; 8]; 3] = [[0, 1, 2, 3, 4, 5, 6, 7], [1, 3, 5, 7, 0, 2, 4, 6], [3, 7, 2, 6, 1, 5, 0, 4]];
    const CONSTANTS: [u32; 3] = [0, 0x5a82_7999, 0x6ed9_eba1];
    let [mut a, mut b, mut c, mut d] = *state;
    for round in 0..3 {
        for step in 0..8 {
            let mixed = match round {
                0 => d ^ (b & (c ^ d)),
                1 => (b & c).wrapping_add((b ^ c) & d),
                _ => b ^ c ^ d,
            };
            let sum = a.wrapping_add(mixed).wrapping_add(words[ORDER[round][step]]).wrapping_add(CONSTANTS[round]);
            (a, b, c, d) = (d, sum.rotate_left(SHIFTS[round][step % 4]), b, c);
        }
    }
    for (word, value) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by `debugfs -R 'dx_hash -h 1 -s SEED NAME'` (signed) and `-h 4` (unsigned), e2fsprogs 1.47.0.
    #[test]
    fn equals_debugfs() {
        let seed = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
        let check = |seed: &[u8; 16], name: &str, signed: u32, unsigned: u32| {
            let hashes = [true, false].map(|signed| NameHasher::new(seed, signed).hash(name.as_bytes()));
            assert_eq!(hashes, [signed, unsigned], "{name}");
        };
        let long = "a rather longer name, of more than thirty-two bytes";
        check(&seed, "a", 0x9375_2ee6, 0x9375_2ee6);
        check(&seed, "hello", 0x344c_a36e, 0x344c_a36e);
        check(&seed, long, 0x37fa_4a40, 0x37fa_4a40);
        check(&seed, "été", 0xd818_f76e, 0x64cc_da7c);
        check(&[0; 16], "a", 0xd5fa_7d7a, 0xd5fa_7d7a);
        check(&[0; 16], long, 0x4aa5_a39a, 0x4aa5_a39a);
        check(&[0; 16], "été", 0xa69a_4d3a, 0x3eb3_5f16);
    }
}
