//! Reading again what was built: the partition table, every file system, and the sums beside the image.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{PipelineError, Result};
use crate::{
    digest::Sha256,
    ext4, fat, gpt, image,
    manifest::image::{Disk, FileSystem},
    map::map,
    output,
    tree::{Content, Tree, dump},
};

/// What a partition was found to hold.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Checked {
    pub partition: String,
    pub file_system: &'static str,
    /// Names in the file system.
    pub paths: usize,
    /// Of the canonical text of its tree.
    pub digest: Option<Sha256>,
}

/// Where the magic number of ext4's superblock stands, and what it is (Documentation/filesystems/ext4/super.rst).
const EXT4_MAGIC: (usize, [u8; 2]) = (1024 + 0x38, [0x53, 0xef]);

/// Reads a whole disk image with the readers, and holds it against `expected` when that is known. A partition that holds what no
/// reader knows is an error. Nobody may write the image meanwhile.
pub fn verify_image(path: &Path, expected: Option<&Disk>) -> Result<Vec<Checked>> {
    let file = fs_err::File::open(path)?.into_file();
    let fault = |text: String| PipelineError::Verify(format!("{}: {text}", path.display()));
    let table = gpt::read(&file).map_err(|error| match expected {
        Some(_) => fault(error.to_string()),
        None => fault(format!("it is neither a lock, which ends in .lock, nor a disk image: {error}")),
    })?;
    if let Some(disk) = expected
        && table != image::table(disk)
    {
        return Err(fault("its partition table is not the one that image.toml defines".to_owned()));
    }
    let (bytes, data) = (map(&file)?, output::data_of(&file)?);
    let mut checked = Vec::new();
    for (index, partition) in table.partitions.iter().enumerate() {
        let fault = |text: String| fault(format!("partition `{}`: {text}", partition.name));
        let start = partition.start_sector * gpt::SECTOR;
        let part = Part { start, bytes: slice(&bytes, start, partition.sectors * gpt::SECTOR), disk: &data };
        let (file_system, tree) = part.read().map_err(fault)?;
        if let Some(disk) = expected {
            let wanted = kind(disk.partitions[index].content.as_ref());
            if file_system != wanted {
                return Err(fault(format!("it is {file_system}, image.toml says {wanted}")));
            }
        }
        checked.push(Checked {
            partition: partition.name.clone(),
            file_system,
            paths: tree.as_ref().map_or(0, |tree| tree.walk().count()),
            digest: tree.as_ref().map(|tree| Sha256::of(dump(tree).as_bytes())),
        });
    }
    Ok(checked)
}

fn kind(content: Option<&FileSystem>) -> &'static str {
    match content {
        None => "empty",
        Some(FileSystem::Fat(_)) => "fat",
        Some(FileSystem::Ext4(_)) => "ext4",
    }
}

/// The table's reader has checked that the partition lies inside the disk.
fn slice(disk: &Bytes, start: u64, len: u64) -> Bytes {
    disk.slice(start as usize..(start + len) as usize)
}

/// The bytes of a partition, and where on the disk there is anything but zeros.
struct Part<'a> {
    start: u64,
    bytes: Bytes,
    disk: &'a Content,
}

impl Part<'_> {
    /// The kind of file system and what it holds.
    fn read(&self) -> std::result::Result<(&'static str, Option<Tree>), String> {
        if self.bytes.get(EXT4_MAGIC.0..EXT4_MAGIC.0 + 2) == Some(&EXT4_MAGIC.1) {
            let volume = ext4::read(&self.bytes).map_err(|error| format!("ext4: {error}"))?;
            return Ok(("ext4", Some(volume.tree)));
        }
        if self.bytes.get(510..512) == Some(&[0x55, 0xaa]) {
            let volume = fat::read(&self.bytes).map_err(|error| format!("FAT: {error}"))?;
            return Ok(("fat", Some(volume.tree)));
        }
        let end = self.start + self.bytes.len() as u64;
        let stray = self.disk.runs().find(|(at, data)| *at < end && at + data.len() as u64 > self.start);
        match stray {
            None => Ok(("empty", None)),
            Some((at, _)) => Err(format!("no file system that icos knows, but data at byte {at} of the disk")),
        }
    }
}

/// Checks the sums beside an image against the files.
pub fn verify_sums(folder: &Path) -> Result<Vec<String>> {
    let text = fs_err::read_to_string(folder.join("SHA256SUMS"))?;
    let mut names = Vec::new();
    for line in text.lines() {
        let entry = line.split_once("  ").and_then(|(sum, name)| Some((sum.parse::<Sha256>().ok()?, name)));
        let (sum, name) = entry.ok_or_else(|| PipelineError::Verify(format!("SHA256SUMS: bad line `{line}`")))?;
        if name.contains('/') {
            return Err(PipelineError::Verify(format!("SHA256SUMS: `{name}` is in another folder")));
        }
        let file: PathBuf = folder.join(name);
        let found = output::file_digest(&file)?;
        if found != sum {
            return Err(PipelineError::Verify(format!("{}: has the sha256 {found}, expected {sum}", file.display())));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}
