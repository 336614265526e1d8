//! A disk image's table, both copies checked against each other and against their sums.

use std::{fs::File, os::unix::fs::FileExt};

use uuid::Uuid;
use zerocopy::FromBytes;

use super::{
    Partition, Table,
    format::{ENTRY_COUNT, ENTRY_SIZE, Entry, HEADER_SIZE, Header, MbrRecord, PROTECTIVE, REVISION, SECTOR, SIGNATURE},
};

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("disk image")]
    Io(#[from] std::io::Error),
    #[error("disk of {0} bytes is no whole number of sectors, or too short for a partition table")]
    Length(u64),
    #[error("sector 0: no protective boot record that covers the disk")]
    NoProtectiveMbr,
    #[error("header at sector {lba}: {fault}")]
    Header { lba: u64, fault: &'static str },
    #[error("primary and backup table differ")]
    CopiesDiffer,
    #[error("partition {number}: {fault}")]
    Partition { number: usize, fault: &'static str },
}

/// Reads and checks the table of a disk image.
pub fn read(file: &File) -> Result<Table, ReadError> {
    let length = file.metadata()?.len();
    let sectors = length / SECTOR;
    if !length.is_multiple_of(SECTOR) || sectors < 68 {
        return Err(ReadError::Length(length));
    }
    check_mbr(file, sectors)?;
    let primary = copy(file, 1, sectors - 1, sectors)?;
    let backup = copy(file, sectors - 1, 1, sectors)?;
    if primary != backup {
        return Err(ReadError::CopiesDiffer);
    }
    Ok(primary)
}

fn check_mbr(file: &File, sectors: u64) -> Result<(), ReadError> {
    let mut sector = [0; SECTOR as usize];
    file.read_exact_at(&mut sector, 0)?;
    let (record, _) = MbrRecord::read_from_prefix(&sector[446..]).map_err(|_| ReadError::NoProtectiveMbr)?;
    let covered = u32::try_from(sectors - 1).unwrap_or(u32::MAX);
    let good = sector[510..] == [0x55, 0xaa]
        && record.boot_indicator == 0
        && record.starting_chs == [0, 2, 0]
        && record.os_type == PROTECTIVE
        && record.ending_chs == [0xff; 3]
        && record.starting_lba.get() == 1
        && record.size_in_lba.get() == covered
        && sector[462..510].iter().all(|&b| b == 0);
    if good { Ok(()) } else { Err(ReadError::NoProtectiveMbr) }
}

/// One header with its array, checked for itself.
fn copy(file: &File, lba: u64, alternate: u64, sectors: u64) -> Result<Table, ReadError> {
    let fail = |fault| ReadError::Header { lba, fault };
    let mut sector = [0; SECTOR as usize];
    file.read_exact_at(&mut sector, lba * SECTOR)?;
    let (header, _) = Header::read_from_prefix(&sector).map_err(|_| fail("too short"))?;
    if &header.signature != SIGNATURE || header.revision.get() != REVISION || header.header_size.get() != HEADER_SIZE {
        return Err(fail("no GPT signature of revision 1.0"));
    }
    let mut summed = sector;
    summed[16..20].fill(0);
    if crc32fast::hash(&summed[..HEADER_SIZE as usize]) != header.header_crc32.get() {
        return Err(fail("wrong checksum"));
    }
    if header.reserved.get() != 0 || sector[HEADER_SIZE as usize..].iter().any(|&b| b != 0) {
        return Err(fail("reserved bytes are not zero"));
    }
    if header.my_lba.get() != lba || header.alternate_lba.get() != alternate {
        return Err(fail("it names other sectors for itself or its copy"));
    }
    if header.number_of_partition_entries.get() != ENTRY_COUNT || header.size_of_partition_entry.get() != ENTRY_SIZE {
        return Err(fail("expected 128 entries of 128 bytes"));
    }
    let array_sectors = u64::from(ENTRY_COUNT * ENTRY_SIZE) / SECTOR;
    let array_lba = if lba == 1 { 2 } else { lba - array_sectors };
    if header.partition_entry_lba.get() != array_lba {
        return Err(fail("the entry array is not beside the header"));
    }
    let usable = (header.first_usable_lba.get(), header.last_usable_lba.get());
    if usable.0 != 2 + array_sectors || usable.1 != sectors - 2 - array_sectors {
        return Err(fail("usable sectors are not all that is left"));
    }
    let mut array = vec![0; (ENTRY_COUNT * ENTRY_SIZE) as usize];
    file.read_exact_at(&mut array, array_lba * SECTOR)?;
    if crc32fast::hash(&array) != header.partition_entry_array_crc32.get() {
        return Err(fail("wrong checksum of the entry array"));
    }
    let guid = Uuid::from_bytes_le(header.disk_guid);
    Ok(Table { guid, disk_sectors: sectors, partitions: entries(&array, usable)? })
}

fn entries(array: &[u8], usable: (u64, u64)) -> Result<Vec<Partition>, ReadError> {
    let mut partitions: Vec<Partition> = Vec::new();
    for (number, bytes) in (1..).zip(array.chunks_exact(ENTRY_SIZE as usize)) {
        let fail = |fault| ReadError::Partition { number, fault };
        let entry = Entry::read_from_bytes(bytes).map_err(|_| fail("too short"))?;
        if entry.partition_type_guid == [0; 16] {
            continue;
        }
        if partitions.len() + 1 != number {
            return Err(fail("an unused entry before it"));
        }
        let (first, last) = (entry.starting_lba.get(), entry.ending_lba.get());
        if first < usable.0 || last > usable.1 || first > last {
            return Err(fail("outside the usable sectors"));
        }
        if partitions.iter().any(|p| first < p.start_sector + p.sectors && p.start_sector <= last) {
            return Err(fail("overlaps one before it"));
        }
        let units: Vec<u16> =
            entry.partition_name.iter().map(|unit| unit.get()).take_while(|unit| *unit != 0).collect();
        partitions.push(Partition {
            name: String::from_utf16(&units).map_err(|_| fail("name is not UTF-16"))?,
            kind: Uuid::from_bytes_le(entry.partition_type_guid),
            guid: Uuid::from_bytes_le(entry.unique_partition_guid),
            start_sector: first,
            sectors: last - first + 1,
            attributes: entry.attributes.get(),
        });
    }
    Ok(partitions)
}
