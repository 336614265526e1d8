//! A [`Table`] onto a disk image: protective MBR, both headers, both entry arrays.

use std::{collections::BTreeMap, fs::File};

use gpt::{GptConfig, disk::LogicalBlockSize, mbr::ProtectiveMBR, partition, partition_types};

use super::{Table, format::SECTOR};

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("partition name `{0}` is longer than 36 UTF-16 units")]
    LongName(String),
    #[error("partition `{name}` ends at sector {end}, the disk at {disk_sectors}")]
    BeyondDisk { name: String, end: u64, disk_sectors: u64 },
    #[error("disk image")]
    Io(#[from] std::io::Error),
    #[error("partition table")]
    Table(#[from] gpt::GptError),
    #[error("protective boot record")]
    Mbr(#[from] gpt::mbr::MBRError),
}

/// Writes the table into `file`, which must be `table.disk_sectors` long.
pub fn write(table: &Table, file: &File) -> Result<(), WriteError> {
    let mut entries = BTreeMap::new();
    for (number, partition) in (1..).zip(&table.partitions) {
        if partition.name.encode_utf16().count() > 36 {
            return Err(WriteError::LongName(partition.name.clone()));
        }
        let end = partition.start_sector.saturating_add(partition.sectors);
        if end > table.disk_sectors {
            let (name, disk_sectors) = (partition.name.clone(), table.disk_sectors);
            return Err(WriteError::BeyondDisk { name, end, disk_sectors });
        }
        let kind = partition_types::Type { guid: partition.kind, os: partition_types::OperatingSystem::None };
        let entry = partition::Partition {
            part_type_guid: kind,
            part_guid: partition.guid,
            first_lba: partition.start_sector,
            last_lba: end - 1,
            flags: partition.attributes,
            name: partition.name.clone(),
        };
        entries.insert(number, entry);
    }
    let mut device = file.try_clone()?;
    // The last LBA, or as much of it as the 32-bit field of the record can say (UEFI 2.10 §5.2.3).
    let covered = u32::try_from(table.disk_sectors - 1).unwrap_or(u32::MAX);
    ProtectiveMBR::with_lb_size(covered).overwrite_lba0(&mut device)?;
    let config = GptConfig::new().writable(true).logical_block_size(LogicalBlockSize::Lb512);
    let mut disk = config.create_from_device(device, Some(table.guid))?;
    disk.update_partitions(entries)?;
    disk.write()?;
    debug_assert_eq!(file.metadata().map(|m| m.len()).unwrap_or_default(), table.disk_sectors * SECTOR);
    Ok(())
}
