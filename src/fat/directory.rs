//! The entries of directories.

use zerocopy::{FromZeros, IntoBytes, little_endian::U16};

use super::{
    format::{DOT, DOT_DOT, DirEntry, LAST_LONG, LONG_UNITS, LongEntry, attr, short_checksum},
    names::FatName,
};
use crate::{date::civil, epoch::Epoch};

/// A date and a time of day, as FAT has them: local time without a zone, taken as UTC, in steps of two seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DosTime {
    pub(super) date: u16,
    pub(super) time: u16,
    /// The second that `time` can't say, in hundredths.
    pub(super) hundredths: u8,
}

impl DosTime {
    /// 1980-01-01, the first day that FAT has.
    const FIRST: i64 = 315_532_800;

    pub(super) fn new(epoch: Epoch) -> Self {
        let seconds = epoch.seconds().max(Self::FIRST);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        let date = (year - 1980) << 9 | month << 5 | day;
        let (hour, minute, half_seconds) = (second / 3600, second / 60 % 60, second % 60 / 2);
        let time = hour << 11 | minute << 5 | half_seconds;
        Self {
            date: u16::try_from(date).expect("an epoch is before 2100"),
            time: u16::try_from(time).expect("a day has 86400 seconds"),
            hundredths: if second % 2 == 1 { 100 } else { 0 },
        }
    }
}

/// Writes entries one after the other.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) bytes: Vec<u8>,
    time: DosTime,
}

impl Entries {
    pub(super) fn new(time: DosTime) -> Self {
        Self { bytes: Vec::new(), time }
    }

    pub(super) fn label(&mut self, label: [u8; 11]) {
        self.short(label, attr::VOLUME_ID, 0, 0);
    }

    /// `.` and `..`; `parent` is 0 for the root.
    pub(super) fn dots(&mut self, own: u32, parent: u32) {
        self.short(DOT, attr::DIRECTORY, own, 0);
        self.short(DOT_DOT, attr::DIRECTORY, parent, 0);
    }

    pub(super) fn directory(&mut self, name: &FatName, cluster: u32) {
        self.long(name);
        self.short(name.short, attr::DIRECTORY, cluster, 0);
    }

    pub(super) fn file(&mut self, name: &FatName, cluster: u32, size: u32) {
        self.long(name);
        self.short(name.short, attr::ARCHIVE, cluster, size);
    }

    /// The parts of a long name: ended by a 0 unless it fills the last part, the rest of which is all ones.
    fn long(&mut self, name: &FatName) {
        let parts: Vec<&[u16]> = name.long.chunks(LONG_UNITS).collect();
        for (index, part) in parts.iter().enumerate().rev() {
            let mut units = [u16::MAX; LONG_UNITS];
            units[..part.len()].copy_from_slice(part);
            if let Some(end) = units.get_mut(part.len()) {
                *end = 0;
            }
            let last = if index + 1 == parts.len() { LAST_LONG } else { 0 };
            let mut entry = LongEntry::new_zeroed();
            entry.ldir_ord = u8::try_from(index + 1).expect("255 units make 20 parts") | last;
            entry.ldir_attr = attr::LONG_NAME;
            entry.ldir_chksum = short_checksum(&name.short);
            let places = entry.ldir_name1.iter_mut().chain(&mut entry.ldir_name2).chain(&mut entry.ldir_name3);
            for (place, unit) in places.zip(units) {
                *place = unit.into();
            }
            self.bytes.extend_from_slice(entry.as_bytes());
        }
    }

    fn short(&mut self, name: [u8; 11], attributes: u8, cluster: u32, size: u32) {
        let time = self.time;
        let entry = DirEntry {
            dir_name: name,
            dir_attr: attributes,
            dir_nt_res: 0,
            dir_crt_time_tenth: time.hundredths,
            dir_crt_time: time.time.into(),
            dir_crt_date: time.date.into(),
            dir_lst_acc_date: time.date.into(),
            dir_fst_clus_hi: U16::new((cluster >> 16) as u16),
            dir_wrt_time: time.time.into(),
            dir_wrt_date: time.date.into(),
            dir_fst_clus_lo: U16::new((cluster & 0xffff) as u16),
            dir_file_size: size.into(),
        };
        self.bytes.extend_from_slice(entry.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_times() {
        let check = |seconds: &str, expect: (u16, u16, u16, u16, u16, u16)| {
            let DosTime { date, time, hundredths } =
                DosTime::new(Epoch::from_variable(Some(seconds)).expect("a valid epoch"));
            let second = (time & 31) * 2 + u16::from(hundredths) / 100;
            let found = ((date >> 9) + 1980, date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, second);
            assert_eq!(found, expect, "{seconds}");
        };
        check("0", (1980, 1, 1, 0, 0, 0));
        check("951782399", (2000, 2, 28, 23, 59, 59));
        check("951782400", (2000, 2, 29, 0, 0, 0));
        check("1700000000", (2023, 11, 14, 22, 13, 20));
        check("4102444799", (2099, 12, 31, 23, 59, 59));
    }
}
