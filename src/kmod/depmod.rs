//! The indexes of a folder of modules, byte for byte as depmod writes them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Module, name, normal_alias, strings, strip_compression, trie::Trie};

/// A module and its path below the folder.
#[derive(Clone, Debug)]
pub struct Found {
    pub path: Vec<u8>,
    pub module: Module,
}

/// The kernel's own lists beside the modules; a missing one is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tables<'a> {
    /// `modules.order`.
    pub order: &'a [u8],
    /// `modules.builtin`.
    pub builtin: &'a [u8],
    /// `modules.builtin.modinfo`.
    pub builtin_info: &'a [u8],
}

/// Names and bytes of the files to write.
pub type Indexes = Vec<(&'static str, Vec<u8>)>;

/// A module in its place among the others.
struct Entry {
    name: Vec<u8>,
    path: Vec<u8>,
    module: Module,
    /// Modules whose symbols it takes, in the order in which it first names one.
    needs: Vec<usize>,
}

/// Makes all indexes; no two modules have the same name.
pub fn index(modules: Vec<Found>, tables: &Tables<'_>) -> Result<Indexes, Error> {
    let mut entries = in_order(modules, tables.order);
    let symbols = link(&mut entries);
    let ranks = ranks(&entries)?;
    let (dep, dep_bin) = dependencies(&entries, &ranks);
    let (alias, alias_bin) = aliases(&entries);
    let (symbol, symbol_bin) = exported(&entries, &symbols);
    Ok(vec![
        ("modules.dep", dep),
        ("modules.dep.bin", dep_bin),
        ("modules.alias", alias),
        ("modules.alias.bin", alias_bin),
        ("modules.softdep", soft(&entries)),
        ("modules.symbols", symbol),
        ("modules.symbols.bin", symbol_bin),
        ("modules.builtin.bin", builtin(tables.builtin)),
        ("modules.builtin.alias.bin", builtin_aliases(tables.builtin_info)),
        ("modules.devname", device_names(&entries)),
    ])
}

/// Modules as `modules.order` lists them, then the others.
fn in_order(modules: Vec<Found>, order: &[u8]) -> Vec<Entry> {
    let lines = order.split(|&b| b == b'\n').enumerate();
    let places: BTreeMap<_, _> = lines.map(|(place, line)| (strip_compression(line), place)).collect();
    let mut placed: Vec<_> = modules
        .into_iter()
        .map(|found| (places.get(strip_compression(&found.path)).copied().unwrap_or(usize::MAX), found))
        .collect();
    placed.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.path.cmp(&other.path)));
    let entry = |(_, found): (usize, Found)| Entry {
        name: name(&found.path),
        path: found.path,
        module: found.module,
        needs: Vec::new(),
    };
    placed.into_iter().map(entry).collect()
}

/// The exported symbols, each with the last module that has it.
fn owners(entries: &[Entry]) -> BTreeMap<&[u8], usize> {
    let mut owner: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        owner.extend(entry.module.exports.iter().map(|symbol| (symbol.as_slice(), index)));
    }
    owner
}

/// Fills in what each module needs; returns the symbols as the file lists them, each with its module.
fn link(entries: &mut [Entry]) -> Vec<(Vec<u8>, usize)> {
    let owner = owners(entries);
    let needs_of = |entry: &Entry| {
        let mut seen = BTreeSet::new();
        let needed = entry.module.imports.iter().filter_map(|name| owner.get(name.as_slice()).copied());
        needed.filter(|index| seen.insert(*index)).collect::<Vec<_>>()
    };
    let needs: Vec<_> = entries.iter().map(needs_of).collect();
    let mut symbols: Vec<_> = owner.iter().map(|(name, index)| (name.to_vec(), *index)).collect();
    symbols.sort_by_cached_key(|(name, _)| bucket(name));
    for (entry, needs) in entries.iter_mut().zip(needs) {
        entry.needs = needs;
    }
    symbols
}

/// Buckets of the hash table whose order is that of `modules.symbols`.
const BUCKETS: u32 = 2048;

/// The bucket of a symbol in a hash table by Paul Hsieh's function.
fn bucket(key: &[u8]) -> u32 {
    let pair = |bytes: &[u8]| u32::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    let mut hash = key.len() as u32;
    let mut chunks = key.chunks_exact(4);
    for chunk in &mut chunks {
        hash = hash.wrapping_add(pair(chunk));
        hash = (hash << 16) ^ ((pair(&chunk[2..]) << 11) ^ hash);
        hash = hash.wrapping_add(hash >> 11);
    }
    // The function takes a left-over byte as a signed number.
    let signed = |byte: u8| i32::from(byte as i8) as u32;
    match chunks.remainder() {
        rest @ [_, _, third] => {
            hash = hash.wrapping_add(pair(rest));
            hash ^= hash << 16;
            hash ^= signed(*third) << 18;
            hash = hash.wrapping_add(hash >> 11);
        }
        rest @ [_, _] => {
            hash = hash.wrapping_add(pair(rest));
            hash ^= hash << 11;
            hash = hash.wrapping_add(hash >> 17);
        }
        [only] => {
            hash = hash.wrapping_add(signed(*only));
            hash ^= hash << 10;
            hash = hash.wrapping_add(hash >> 1);
        }
        _ => {}
    }
    hash ^= hash << 3;
    hash = hash.wrapping_add(hash >> 5);
    hash ^= hash << 4;
    hash = hash.wrapping_add(hash >> 17);
    hash ^= hash << 25;
    hash = hash.wrapping_add(hash >> 6);
    hash & (BUCKETS - 1)
}

/// Each module's place in an order where it comes before all that it needs.
fn ranks(entries: &[Entry]) -> Result<Vec<usize>, Error> {
    let mut users = vec![0_usize; entries.len()];
    for needed in entries.iter().flat_map(|entry| &entry.needs) {
        users[*needed] += 1;
    }
    let mut free: Vec<usize> = (0..entries.len()).filter(|index| users[*index] == 0).collect();
    let mut ranks = vec![usize::MAX; entries.len()];
    let mut next = 0;
    while let Some(index) = free.pop() {
        ranks[index] = next;
        next += 1;
        for &needed in &entries[index].needs {
            users[needed] -= 1;
            if users[needed] == 0 {
                free.push(needed);
            }
        }
    }
    if next < entries.len() {
        let caught = entries.iter().zip(&ranks).filter(|(_, rank)| **rank == usize::MAX);
        return Err(Error::Cycle(caught.map(|(entry, _)| entry.name.escape_ascii().to_string()).collect()));
    }
    Ok(ranks)
}

/// `modules.dep` and its index: each module with all that it needs, directly or not.
fn dependencies(entries: &[Entry], ranks: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut trie) = (Vec::new(), Trie::default());
    for (index, entry) in entries.iter().enumerate() {
        let mut all = BTreeSet::new();
        let mut todo: Vec<usize> = entry.needs.to_vec();
        while let Some(needed) = todo.pop() {
            if all.insert((ranks[needed], needed)) {
                todo.extend(&entries[needed].needs);
            }
        }
        let mut line = entry.path.clone();
        line.push(b':');
        for (_, needed) in all {
            line.push(b' ');
            line.extend_from_slice(&entries[needed].path);
        }
        trie.insert(&entry.name, &line, index as u32);
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    (text, trie.bytes())
}

/// The values of one key of `.modinfo`.
fn values<'e>(entry: &'e Entry, key: &'static [u8]) -> impl Iterator<Item = &'e [u8]> {
    entry.module.info.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_slice())
}

fn line(text: &mut Vec<u8>, words: &[&[u8]]) {
    text.extend_from_slice(&words.join(&b' '));
    text.push(b'\n');
}

fn aliases(entries: &[Entry]) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut trie) = (b"# Aliases extracted from modules themselves.\n".to_vec(), Trie::default());
    for (index, entry) in entries.iter().enumerate() {
        for alias in values(entry, b"alias") {
            line(&mut text, &[b"alias", alias, &entry.name]);
            if let Some(alias) = normal_alias(alias) {
                trie.insert(&alias, &entry.name, index as u32);
            }
        }
    }
    (text, trie.bytes())
}

fn soft(entries: &[Entry]) -> Vec<u8> {
    let mut text = b"# Soft dependencies extracted from modules themselves.\n".to_vec();
    for entry in entries {
        for value in values(entry, b"softdep") {
            line(&mut text, &[b"softdep", &entry.name, value]);
        }
    }
    text
}

fn exported(entries: &[Entry], symbols: &[(Vec<u8>, usize)]) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut trie) = (b"# Aliases for symbols, used by symbol_request().\n".to_vec(), Trie::default());
    for (symbol, owner) in symbols {
        let alias = [b"symbol:", symbol.as_slice()].concat();
        line(&mut text, &[b"alias", &alias, &entries[*owner].name]);
        if let Some(alias) = normal_alias(&alias) {
            trie.insert(&alias, &entries[*owner].name, *owner as u32);
        }
    }
    (text, trie.bytes())
}

fn builtin(list: &[u8]) -> Vec<u8> {
    let mut trie = Trie::default();
    for path in list.split(|&b| b == b'\n').filter(|path| !path.is_empty()) {
        trie.insert(&name(path), b"", 0);
    }
    trie.bytes()
}

fn builtin_aliases(info: &[u8]) -> Vec<u8> {
    let mut trie = Trie::default();
    for (key, value) in strings(info) {
        if let Some(module) = key.strip_suffix(b".alias")
            && let Some(alias) = normal_alias(&value)
        {
            trie.insert(&alias, module, 0);
        }
    }
    trie.bytes()
}

/// `modules.devname`: modules that name a device file and, in an alias, its numbers.
fn device_names(entries: &[Entry]) -> Vec<u8> {
    let mut text = b"# Device nodes to trigger on-demand module loading.\n".to_vec();
    for entry in entries {
        let device = values(entry, b"alias").find_map(|alias| alias.strip_prefix(b"devname:"));
        let numbers = values(entry, b"alias").find_map(|alias| {
            let (kind, rest) = match alias.strip_prefix(b"char-major-") {
                Some(rest) => ('c', rest),
                None => ('b', alias.strip_prefix(b"block-major-")?),
            };
            let (major, minor) = std::str::from_utf8(rest).ok()?.split_once('-')?;
            Some((kind, major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
        });
        if let (Some(device), Some((kind, major, minor))) = (device, numbers) {
            line(&mut text, &[&entry.name, device, format!("{kind}{major}:{minor}").as_bytes()]);
        }
    }
    text
}
