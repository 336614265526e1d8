//! The entries of one directory.

use zerocopy::FromBytes;

use super::{Checked, Fault, field};
use crate::{
    date,
    fat::format::{
        DELETED, DOT, DOT_DOT, DirEntry, ENTRY, LAST_LONG, LONG_UNITS, LOWER_EXTENSION, LOWER_NAME, LongEntry,
        MAX_LONG, attr, short_checksum,
    },
    tree::{Name, Timestamp},
};

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) is_directory: bool,
    pub(super) cluster: u32,
    pub(super) size: u32,
    pub(super) mtime: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    /// Which only the root has.
    pub(super) label: Option<[u8; 11]>,
}

/// Reads up to the first entry that was never used. `dots` are the clusters of `.` and `..`, which the root does not have.
pub(super) fn read(bytes: &[u8], dots: Option<[u32; 2]>) -> Checked<Contents> {
    let mut contents = Contents::default();
    let mut long: Option<Long> = None;
    for (index, raw) in bytes.chunks_exact(ENTRY).enumerate() {
        if raw[0] == 0 {
            break;
        }
        let entry = DirEntry::read_from_bytes(raw).expect("a chunk of that size");
        if raw[0] != DELETED && entry.dir_attr == attr::LONG_NAME {
            let part = LongEntry::read_from_bytes(raw).expect("a chunk of that size");
            long = Some(Long::add(long.take(), &part).ok_or(Fault::Entry(index))?);
            continue;
        }
        let long = long.take();
        if raw[0] == DELETED || entry.dir_attr & attr::VOLUME_ID != 0 {
            let is_label = raw[0] != DELETED && dots.is_none() && contents.label.is_none();
            if long.is_some() || raw[0] != DELETED && !is_label {
                return Err(Fault::Entry(index));
            }
            contents.label = if is_label { Some(entry.dir_name) } else { contents.label };
            continue;
        }
        match (dots, index) {
            (Some([own, _]), 0) => dot(&entry, &DOT, own)?,
            (Some([_, parent]), 1) => dot(&entry, &DOT_DOT, parent)?,
            _ => contents.entries.push(typed(&entry, long, index)?),
        }
    }
    let expected = dots.map_or(0, |_| 2);
    if bytes.chunks_exact(ENTRY).take(expected).any(|raw| raw[0] == 0) {
        return Err(Fault::Entry(0));
    }
    if long.is_some() { Err(Fault::Entry(bytes.len() / ENTRY)) } else { Ok(contents) }
}

fn cluster(entry: &DirEntry) -> u32 {
    u32::from(entry.dir_fst_clus_hi.get()) << 16 | u32::from(entry.dir_fst_clus_lo.get())
}

fn dot(entry: &DirEntry, name: &[u8; 11], expect: u32) -> Checked<()> {
    if entry.dir_name != *name || entry.dir_attr & attr::DIRECTORY == 0 {
        return field("dir_attr", entry.dir_attr);
    }
    if cluster(entry) == expect { Ok(()) } else { field("dir_fst_clus_lo", cluster(entry)) }
}

fn typed(entry: &DirEntry, long: Option<Long>, index: usize) -> Checked<Entry> {
    let text = match long {
        Some(long) => long.name(short_checksum(&entry.dir_name)),
        None => short_name(entry),
    };
    let name = text.and_then(|text| Name::new(text.as_bytes()).ok()).ok_or(Fault::Entry(index))?;
    let is_directory = entry.dir_attr & attr::DIRECTORY != 0;
    let (cluster, size) = (cluster(entry), entry.dir_file_size.get());
    if is_directory && (size != 0 || cluster == 0) {
        return field("dir_file_size", size);
    }
    let mtime = mtime(entry.dir_wrt_date.get(), entry.dir_wrt_time.get());
    let mtime = mtime.map_or_else(|| field("dir_wrt_date", entry.dir_wrt_date.get()), Ok)?;
    Ok(Entry { name, is_directory, cluster, size, mtime })
}

fn mtime(date: u16, time: u16) -> Option<Timestamp> {
    let [date, time] = [date, time].map(i64::from);
    let days = date::days((date >> 9) + 1980, date >> 5 & 15, date & 31)?;
    let (hour, minute, second) = (time >> 11, time >> 5 & 63, (time & 31) * 2);
    let is_valid = hour < 24 && minute < 60 && second < 60;
    is_valid.then(|| Timestamp::from_seconds(days * 86_400 + hour * 3600 + minute * 60 + second))
}

/// Name and extension with a dot between; `None` for bytes whose meaning a code page would have to tell.
fn short_name(entry: &DirEntry) -> Option<String> {
    let part = |bytes: &[u8], is_lower: bool| {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())?.trim_end_matches(' ');
        Some(if is_lower { text.to_ascii_lowercase() } else { text.to_owned() })
    };
    let (base, extension) = entry.dir_name.split_at(8);
    let base = part(base, entry.dir_nt_res & LOWER_NAME != 0)?;
    let extension = part(extension, entry.dir_nt_res & LOWER_EXTENSION != 0)?;
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    (is_plain(&base) && is_plain(&extension)).then(|| match extension.is_empty() {
        true => base,
        false => format!("{base}.{extension}"),
    })
}

/// The parts of a long name met so far.
#[derive(Debug)]
struct Long {
    /// Of the next part, from the end; 0 when all are there.
    left: u8,
    checksum: u8,
    /// Front to back.
    units: Vec<u16>,
}

impl Long {
    fn add(before: Option<Self>, part: &LongEntry) -> Option<Self> {
        let number = part.ldir_ord & !LAST_LONG;
        let is_last = part.ldir_ord & LAST_LONG != 0;
        let (left, mut behind) = match before {
            None if is_last && usize::from(number) <= MAX_LONG.div_ceil(LONG_UNITS) => (number, Vec::new()),
            Some(long) if !is_last && long.checksum == part.ldir_chksum => (long.left, long.units),
            _ => return None,
        };
        if left != number || number == 0 || part.ldir_type != 0 || part.ldir_fst_clus_lo.get() != 0 {
            return None;
        }
        let own = part.ldir_name1.iter().chain(&part.ldir_name2).chain(&part.ldir_name3).map(|unit| unit.get());
        let mut units: Vec<u16> = own.collect();
        if is_last && let Some(end) = units.iter().position(|&unit| unit == 0) {
            if units[end + 1..].iter().any(|&unit| unit != u16::MAX) {
                return None;
            }
            units.truncate(end);
        }
        units.append(&mut behind);
        Some(Self { left: left - 1, checksum: part.ldir_chksum, units })
    }

    fn name(self, checksum: u8) -> Option<String> {
        let is_whole = self.left == 0 && self.checksum == checksum && self.units.len() <= MAX_LONG;
        is_whole.then(|| String::from_utf16(&self.units).ok())?
    }
}
