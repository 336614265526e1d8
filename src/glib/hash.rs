//! A hash table that yields its entries in the order in which `GHashTable` of glib 2.66 to 2.78 does: files that glib writes are
//! in that order.
//!
//! Open addressing with quadratic probing; the size is a power of two, the place is taken modulo a prime below it.

const MIN_SHIFT: u32 = 3;

/// The largest prime below each power of two, from 2³ on.
const PRIMES: [u32; 22] = [
    7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131_071, 262_139, 524_287, 1_048_573,
    2_097_143, 4_194_301, 8_388_593, 16_777_213,
];

#[derive(Debug)]
enum Slot<T> {
    Unused,
    Removed,
    Used { hash: u32, key: Vec<u8>, value: T },
}

/// A table of values by text, as with `g_str_hash`.
#[derive(Debug)]
pub struct Table<T> {
    slots: Vec<Slot<T>>,
    used: usize,
    /// Used and removed.
    occupied: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { slots: empty(1 << MIN_SHIFT), used: 0, occupied: 0 }
    }
}

impl<T> Table<T> {
    pub fn get(&self, key: &[u8]) -> Option<&T> {
        match &self.slots[self.find(key)] {
            Slot::Used { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut T> {
        let index = self.find(key);
        match &mut self.slots[index] {
            Slot::Used { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Puts a value in, in place of an older one.
    pub fn insert(&mut self, key: &[u8], value: T) {
        let index = self.find(key);
        let old = std::mem::replace(&mut self.slots[index], Slot::Used { hash: hash(key), key: key.to_vec(), value });
        match old {
            Slot::Used { .. } => {}
            Slot::Removed => self.used += 1,
            Slot::Unused => {
                self.used += 1;
                self.occupied += 1;
                self.settle();
            }
        }
    }

    pub fn remove(&mut self, key: &[u8]) {
        let index = self.find(key);
        if matches!(self.slots[index], Slot::Used { .. }) {
            self.slots[index] = Slot::Removed;
            self.used -= 1;
            self.settle();
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &T)> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Used { key, value, .. } => Some((key.as_slice(), value)),
            _ => None,
        })
    }

    pub fn len(&self) -> usize {
        self.used
    }

    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    fn start(&self, hash: u32) -> usize {
        let shift = self.slots.len().trailing_zeros();
        (hash.wrapping_mul(11) % PRIMES[(shift - MIN_SHIFT) as usize]) as usize
    }

    /// The slot of a key, or else the one that it would get.
    fn find(&self, key: &[u8]) -> usize {
        let wanted = hash(key);
        let mut removed = None;
        let mut index = self.start(wanted);
        for step in 1.. {
            match &self.slots[index] {
                Slot::Unused => break,
                Slot::Removed => removed = removed.or(Some(index)),
                Slot::Used { hash, key: other, .. } if *hash == wanted && other == key => return index,
                Slot::Used { .. } => {}
            }
            index = (index + step) & (self.slots.len() - 1);
        }
        removed.unwrap_or(index)
    }

    /// Grows or shrinks the table when it is too full or too empty.
    fn settle(&mut self) {
        let size = self.slots.len();
        let empty = size > self.used * 4 && size > 1 << MIN_SHIFT;
        if empty || size <= self.occupied + self.occupied / 16 {
            // 1.333 times as many, rounded down.
            let wanted = self.used * 1333 / 1000;
            let shift = (usize::BITS - wanted.leading_zeros()).max(MIN_SHIFT);
            self.resize(1 << shift);
        }
    }

    /// Moves every entry to its place in a table of another size. What stands in the place of one that moves is moved next.
    fn resize(&mut self, size: usize) {
        let old_size = self.slots.len();
        let mut moved = vec![false; size.max(old_size)];
        self.slots.resize_with(size.max(old_size), || Slot::Unused);
        let start = |hash: u32| {
            let shift = size.trailing_zeros();
            (hash.wrapping_mul(11) % PRIMES[(shift - MIN_SHIFT) as usize]) as usize
        };
        for index in 0..old_size {
            if matches!(self.slots[index], Slot::Used { .. }) && moved[index] {
                continue;
            }
            let mut moving = std::mem::replace(&mut self.slots[index], Slot::Unused);
            while let Slot::Used { hash, .. } = moving {
                let mut place = start(hash);
                let mut step = 0;
                while moved[place] {
                    step += 1;
                    place = (place + step) & (size - 1);
                }
                moved[place] = true;
                moving = std::mem::replace(&mut self.slots[place], moving);
            }
        }
        self.slots.truncate(size);
        self.occupied = self.used;
    }
}

fn empty<T>(size: usize) -> Vec<Slot<T>> {
    std::iter::repeat_with(|| Slot::Unused).take(size).collect()
}

/// Bernstein's hash of a text, whose bytes are signed.
pub fn hash(text: &[u8]) -> u32 {
    text.iter().fold(5381, |hash: u32, &byte| {
        let signed = i32::from(byte.cast_signed()).cast_unsigned();
        hash.wrapping_mul(33).wrapping_add(signed)
    })
}
