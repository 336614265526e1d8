//! GVDB files: hash tables of GVariants by name. The form is that of `gvdb-format.h`; the order of what is in it, that of glib's
//! own writer.

use zerocopy::{
    Immutable, IntoBytes,
    little_endian::{U16, U32},
};

use super::{
    hash::{self, Table},
    variant::{Type, Value, serialise_variant},
};

const SIGNATURE: [u8; 8] = *b"GVariant";
/// The bloom filter's shift; glib leaves the filter empty.
const BLOOM_SHIFT: u32 = 5;
const NO_PARENT: u32 = u32::MAX;

#[derive(IntoBytes, Immutable, Default, Clone, Copy)]
#[repr(C)]
struct Pointer {
    start: U32,
    end: U32,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    signature: [u8; 8],
    version: U32,
    options: U32,
    root: Pointer,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct HashItem {
    hash_value: U32,
    parent: U32,

    key_start: U32,
    key_size: U16,
    kind: u8,
    unused: u8,

    value: Pointer,
}

const _: () = assert!(size_of::<Header>() == 24 && size_of::<HashItem>() == 24);

/// What a name in a table stands for.
#[derive(Debug)]
pub enum Item {
    Value(Type, Value),
    Table(Names),
    /// The item whose name is empty, and the names below it.
    Root,
}

/// A table; names with the root item above them are its list.
#[derive(Debug, Default)]
pub struct Names {
    items: Table<Entry>,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    below_root: bool,
}

impl Names {
    /// A table that has a root item.
    pub fn with_root() -> Self {
        let mut names = Self::default();
        names.items.insert(b"", Entry { item: Item::Root, below_root: false });
        names
    }

    /// Puts in an item that the root lists.
    pub fn insert_below_root(&mut self, name: &[u8], item: Item) {
        self.items.insert(name, Entry { item, below_root: true });
    }

    pub fn insert(&mut self, name: &[u8], item: Item) {
        self.items.insert(name, Entry { item, below_root: false });
    }

    pub fn insert_text(&mut self, name: &[u8], text: &[u8]) {
        self.insert(name, Item::Value(Type::STRING, Value::Text(text.to_vec())));
    }
}

/// The file of a table; an error when it would be larger than the form allows.
pub fn file(names: &Names) -> Result<Vec<u8>, TooLarge> {
    let mut out = vec![0; size_of::<Header>()];
    let root = add_table(&mut out, names)?;
    let header = Header { signature: SIGNATURE, version: 0.into(), options: 0.into(), root };
    out[..size_of::<Header>()].copy_from_slice(header.as_bytes());
    Ok(out)
}

/// A name of over 65,535 bytes or a file of over 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a GVDB file can't hold that much")]
pub struct TooLarge;

fn offset(out: &[u8]) -> Result<U32, TooLarge> {
    u32::try_from(out.len()).map(U32::new).map_err(|_| TooLarge)
}

/// Appends bytes at a multiple of `alignment`.
fn add(out: &mut Vec<u8>, alignment: usize, bytes: &[u8]) -> Result<Pointer, TooLarge> {
    if bytes.is_empty() {
        return Ok(Pointer::default());
    }
    out.resize(out.len().next_multiple_of(alignment), 0);
    let start = offset(out)?;
    out.extend_from_slice(bytes);
    Ok(Pointer { start, end: offset(out)? })
}

/// Appends a table, which is followed by what its items point to.
fn add_table(out: &mut Vec<u8>, names: &Names) -> Result<Pointer, TooLarge> {
    let count = names.items.len();
    let mut buckets: Vec<Vec<(&[u8], &Entry)>> = vec![Vec::new(); count];
    for (key, entry) in names.items.iter() {
        buckets[hash::hash(key) as usize % count].push((key, entry));
    }
    // Each bucket is a list whose newest item is its first.
    let ordered: Vec<(&[u8], &Entry)> = buckets.iter().flat_map(|bucket| bucket.iter().rev().copied()).collect();
    let mut listed: Vec<(&[u8], u32)> = Vec::new();
    let mut root = NO_PARENT;
    for (index, (key, entry)) in (0..).zip(&ordered) {
        match entry.item {
            Item::Root => root = index,
            _ if entry.below_root => listed.push((key, index)),
            _ => {}
        }
    }
    listed.sort_unstable();
    let list: Vec<u8> = listed.iter().flat_map(|(_, index)| index.to_le_bytes()).collect();

    let mut table = Vec::new();
    table.extend_from_slice(&(BLOOM_SHIFT << 27).to_le_bytes());
    table.extend_from_slice(&u32::try_from(count).map_err(|_| TooLarge)?.to_le_bytes());
    let mut first = 0_u32;
    for bucket in &buckets {
        table.extend_from_slice(&first.to_le_bytes());
        first += u32::try_from(bucket.len()).map_err(|_| TooLarge)?;
    }
    let items = table.len();
    table.resize(items + count * size_of::<HashItem>(), 0);
    let pointer = add(out, 4, &table)?;
    let mut at = pointer.start.get() as usize + items;
    for (key, entry) in ordered {
        let item = add_item(out, key, entry, root, &list)?;
        out[at..at + size_of::<HashItem>()].copy_from_slice(item.as_bytes());
        at += size_of::<HashItem>();
    }
    Ok(pointer)
}

fn add_item(out: &mut Vec<u8>, key: &[u8], entry: &Entry, root: u32, list: &[u8]) -> Result<HashItem, TooLarge> {
    let key_start = offset(out)?;
    out.extend_from_slice(key);
    let (kind, value) = match &entry.item {
        Item::Value(kind, value) => (b'v', add(out, 8, &serialise_variant(kind, value))?),
        // A root that nothing is below is no list.
        Item::Root if list.is_empty() => (0, Pointer::default()),
        Item::Root => (b'L', add(out, 4, list)?),
        Item::Table(names) => (b'H', add_table(out, names)?),
    };
    Ok(HashItem {
        hash_value: hash::hash(key).into(),
        parent: if entry.below_root { root.into() } else { NO_PARENT.into() },
        key_start,
        key_size: u16::try_from(key.len()).map_err(|_| TooLarge)?.into(),
        kind,
        unused: 0,
        value,
    })
}
