//! Writes into a file that reads as zeros already, and leaves the zeros out, so that they stay holes.

use std::{fs::File, io, os::unix::fs::FileExt};

/// What a file system keeps a hole by: fewer zeros than this are not worth a write of their own.
const BLOCK: usize = 4096;

/// Writes `bytes` at `offset`, but for runs of zeros.
pub fn write(out: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut start = 0;
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        if is_zero(block) {
            let here = index * BLOCK;
            out.write_all_at(&bytes[start..here], offset + start as u64)?;
            start = here + block.len();
        }
    }
    out.write_all_at(&bytes[start..], offset + start as u64)
}

pub(crate) fn is_zero(block: &[u8]) -> bool {
    let (words, rest) = block.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn leaves_out_zeros_and_nothing_else() {
        let mut bytes = vec![0; 1 << 20];
        for at in [0, 4095, 4096, 500_000, 700_000, (1 << 20) - 1] {
            bytes[at] = 1;
        }
        for length in [0, 1, 4095, 4097, 500_001, 1 << 20] {
            let file = tempfile::NamedTempFile::new().expect("a scratch file");
            file.as_file().set_len(2 << 20).expect("room");
            write(file.as_file(), 4096, &bytes[..length]).expect("written");
            let found = fs_err::read(file.path()).expect("readable");
            assert!(found[4096..4096 + length] == bytes[..length], "{length}");
            assert!(found[4096 + length..].iter().all(|&byte| byte == 0), "{length}");
            assert!(file.as_file().metadata().expect("metadata").blocks() <= 6 * 8, "{length}");
        }
    }
}
