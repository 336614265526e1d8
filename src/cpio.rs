//! Archives of the kind `newc`, which the kernel unpacks as its first root: headers of hexadecimal numbers, padded to four bytes.

use bytes::Bytes;

/// What the kernel's `buffer-format` calls the magic of a header without checksum.
const MAGIC: &[u8] = b"070701";
const TRAILER: &[u8] = b"TRAILER!!!";

/// Archives are padded to whole blocks.
const BLOCK: usize = 512;

/// Longest content that the eight digits of a header can tell.
pub const LARGEST: u64 = u32::MAX as u64;

/// One member. Members of one inode number are one file, whose content stands at the last of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    pub name: Vec<u8>,
    pub inode: u32,
    /// With the bits of the file's type.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub links: u32,
    pub mtime: u32,
    /// Numbers of a device node.
    pub device: (u32, u32),
    /// A file's bytes or a symbolic link's target; at most [`LARGEST`].
    pub content: Bytes,
}

/// Writes an archive.
pub fn archive(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    for member in members {
        write(member, &mut out);
    }
    write(&Member { name: TRAILER.to_vec(), links: 1, ..Member::default() }, &mut out);
    pad(&mut out, BLOCK);
    out
}

fn write(member: &Member, out: &mut Vec<u8>) {
    out.extend_from_slice(MAGIC);
    let fields = [
        member.inode,
        member.mode,
        member.uid,
        member.gid,
        member.links,
        member.mtime,
        member.content.len() as u32,
        0,
        0,
        member.device.0,
        member.device.1,
        member.name.len() as u32 + 1,
        0,
    ];
    for field in fields {
        out.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    out.extend_from_slice(&member.name);
    out.push(0);
    pad(out, 4);
    out.extend_from_slice(&member.content);
    pad(out, 4);
}

fn pad(out: &mut Vec<u8>, to: usize) {
    out.resize(out.len().next_multiple_of(to), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_padding() {
        let member =
            Member { name: b"a".to_vec(), mode: 0o100644, content: Bytes::from_static(b"xyz"), ..Member::default() };
        let bytes = archive(&[member]);
        assert_eq!(bytes.len(), BLOCK);
        assert_eq!(&bytes[..22], b"07070100000000000081A4");
        assert_eq!(&bytes[110..116], b"a\0xyz\0");
        assert_eq!(&bytes[116 + 110..116 + 121], b"TRAILER!!!\0");
    }
}
