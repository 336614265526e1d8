//! A theme's icons in one file, `icon-theme.cache` 1.0: the form that `docs/iconcache.txt` of GTK describes, in the order in which
//! `gtk-update-icon-cache` writes it, without images.

use std::collections::BTreeMap;

use crate::glib::hash::Table;

const HEADER: usize = 12;
const NONE: u32 = u32::MAX;

/// Kinds of files, which are bits.
const SUFFIXES: [(&[u8], u16); 3] = [(b".xpm", 1), (b".svg", 2), (b".png", 4)];

/// Numbers of buckets, of which GLib takes the first above the wanted one.
const PRIMES: [usize; 34] = [
    11, 19, 37, 73, 109, 163, 251, 367, 557, 823, 1237, 1861, 2777, 4177, 6247, 9371, 14057, 21089, 31627, 47431,
    71143, 106_721, 160_073, 240_101, 360_163, 540_217, 810_343, 1_215_497, 1_823_231, 2_734_867, 4_102_283, 6_153_409,
    9_230_113, 13_845_163,
];

/// The icons of a theme, gathered folder by folder.
#[derive(Debug, Default)]
pub struct Icons {
    folders: Vec<Vec<u8>>,
    /// For each name the folders that have it, as indices and kinds; the last that was added stands first.
    images: Table<Vec<(u16, u16)>>,
}

/// A name, and where it is: indices of folders and kinds.
type Icon<'i> = (&'i [u8], &'i [(u16, u16)]);

/// Why there is no cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("more than an icon cache can hold")]
    TooLarge,
    /// The program refuses what it has made of it.
    #[error("a name that is not visible ASCII of up to 1023 bytes")]
    Name,
}

/// A folder's icons, while its files are looked at.
#[derive(Debug, Default)]
pub struct Folder {
    index: Option<u16>,
    kinds: Table<u16>,
}

impl Icons {
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Takes up a file of the folder at `path`, which is seen from the theme; files that are no icons are nothing.
    pub fn add(&mut self, folder: &mut Folder, path: &[u8], name: &[u8]) -> Result<(), Error> {
        let suffix = SUFFIXES.iter().find_map(|(suffix, kind)| Some((name.strip_suffix(*suffix)?, *kind)));
        let Some((name, kind)) = suffix else { return Ok(()) };
        if [path, name].iter().any(|text| text.len() > 1023 || !text.iter().all(u8::is_ascii_graphic)) {
            return Err(Error::Name);
        }
        if folder.index.is_none() {
            folder.index = Some(u16::try_from(self.folders.len()).map_err(|_| Error::TooLarge)?);
            self.folders.push(path.to_vec());
        }
        match folder.kinds.get_mut(name) {
            Some(kinds) => *kinds |= kind,
            None => folder.kinds.insert(name, kind),
        }
        Ok(())
    }

    /// Ends a folder.
    pub fn close(&mut self, folder: &Folder) {
        let Some(index) = folder.index else { return };
        for (name, &kinds) in folder.kinds.iter() {
            match self.images.get_mut(name) {
                Some(images) => images.insert(0, (index, kinds)),
                None => self.images.insert(name, vec![(index, kinds)]),
            }
        }
    }

    /// The file.
    pub fn file(&self) -> Result<Vec<u8>, Error> {
        let wanted = self.images.len() / 3;
        let count = PRIMES.into_iter().find(|&prime| prime > wanted).unwrap_or(PRIMES[PRIMES.len() - 1]);
        let mut buckets: Vec<Vec<Icon<'_>>> = vec![Vec::new(); count];
        for (name, images) in self.images.iter() {
            buckets[hash(name) as usize % count].push((name, images));
        }
        let mut out = vec![0; HEADER];
        put(&mut out, count)?;
        let table = out.len();
        out.resize(table + 4 * count, 0);
        let mut strings = BTreeMap::new();
        for (index, bucket) in buckets.iter().enumerate() {
            let first = if bucket.is_empty() { NONE } else { offset(out.len())? };
            out[table + 4 * index..][..4].copy_from_slice(&first.to_be_bytes());
            // Each bucket is a chain whose newest icon is its first.
            for (place, (name, images)) in bucket.iter().rev().enumerate() {
                write_icon(&mut out, &mut strings, name, images, place + 1 == bucket.len())?;
            }
        }
        let folders = out.len();
        self.write_folders(&mut out, &mut strings)?;
        let mut header = [1_u16.to_be_bytes(), 0_u16.to_be_bytes()].concat();
        header.extend(offset(HEADER)?.to_be_bytes());
        header.extend(offset(folders)?.to_be_bytes());
        out[..HEADER].copy_from_slice(&header);
        Ok(out)
    }

    fn write_folders(&self, out: &mut Vec<u8>, strings: &mut BTreeMap<Vec<u8>, u32>) -> Result<(), Error> {
        put(out, self.folders.len())?;
        let mut texts = Vec::new();
        let first = out.len() + 4 * self.folders.len();
        for folder in &self.folders {
            let place = match strings.get(folder) {
                Some(&place) => place,
                None => {
                    let place = offset(first + texts.len())?;
                    texts.extend(padded(folder));
                    strings.insert(folder.clone(), place);
                    place
                }
            };
            out.extend(place.to_be_bytes());
        }
        out.extend(texts);
        Ok(())
    }
}

fn write_icon(
    out: &mut Vec<u8>,
    strings: &mut BTreeMap<Vec<u8>, u32>,
    name: &[u8],
    images: &[(u16, u16)],
    is_last: bool,
) -> Result<(), Error> {
    let text = padded(name);
    let size = 12 + text.len() + 4 + 8 * images.len();
    let next = if is_last { NONE } else { offset(out.len() + size)? };
    let place = offset(out.len() + 12)?;
    strings.insert(name.to_vec(), place);
    out.extend(next.to_be_bytes());
    out.extend(place.to_be_bytes());
    out.extend((place + offset(text.len())?).to_be_bytes());
    out.extend(text);
    put(out, images.len())?;
    for (folder, kinds) in images {
        out.extend(folder.to_be_bytes());
        out.extend(kinds.to_be_bytes());
        // No image.
        out.extend([0; 4]);
    }
    Ok(())
}

fn offset(place: usize) -> Result<u32, Error> {
    u32::try_from(place).map_err(|_| Error::TooLarge)
}

fn put(out: &mut Vec<u8>, number: usize) -> Result<(), Error> {
    out.extend(offset(number)?.to_be_bytes());
    Ok(())
}

/// A text with a NUL, filled up to a multiple of four bytes.
fn padded(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    bytes.resize((text.len() + 1).next_multiple_of(4), 0);
    bytes
}

/// Letters are signed.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0_u32, |hash, &byte| {
        let signed = i32::from(byte.cast_signed()).cast_unsigned();
        (hash << 5).wrapping_sub(hash).wrapping_add(signed)
    })
}
