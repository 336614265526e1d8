//! The sort of GNU's C++ library, whose treatment of equals decides what apt looks at first.
//!
//! Introsort: a quicksort around the median of three that leaves runs of sixteen to an insertion sort at the end. It is not
//! stable, and the order in which it leaves equals is part of apt's answer.

const RUN: usize = 16;

/// Sorts by `less` and leaves equals where `std::sort` leaves them.
pub(super) fn sort<T: Copy>(items: &mut [T], less: impl Fn(T, T) -> bool) {
    if items.is_empty() {
        return;
    }
    let depth = 2 * items.len().ilog2();
    partition_all(items, depth, &less);
    let head = items.len().min(RUN);
    for at in 1..head {
        if less(items[at], items[0]) {
            items[..=at].rotate_right(1);
        } else {
            insert(items, at, &less);
        }
    }
    for at in head..items.len() {
        insert(items, at, &less);
    }
}

fn partition_all<T: Copy>(mut items: &mut [T], mut depth: u32, less: &impl Fn(T, T) -> bool) {
    while items.len() > RUN {
        if depth == 0 {
            // GNU's falls back to a heap sort here, after so many bad medians that no list of packages has them.
            items.sort_by(|a, b| less(*b, *a).cmp(&less(*a, *b)));
            return;
        }
        depth -= 1;
        let last = items.len() - 1;
        median_first(items, 1, items.len() / 2, last, less);
        let cut = partition(items, less);
        let (left, right) = items.split_at_mut(cut);
        partition_all(right, depth, less);
        items = left;
    }
}

/// Swaps the median of three items to the front.
fn median_first<T: Copy>(items: &mut [T], a: usize, b: usize, c: usize, less: &impl Fn(T, T) -> bool) {
    let is_less = |x: usize, y: usize| less(items[x], items[y]);
    let median = match (is_less(a, b), is_less(b, c), is_less(a, c)) {
        (true, true, _) | (false, false, false) => b,
        (true, false, true) | (false, true, false) => c,
        (true, false, false) | (false, _, true) => a,
    };
    items.swap(0, median);
}

/// Partitions all but the first item around it; the start of the upper part.
fn partition<T: Copy>(items: &mut [T], less: &impl Fn(T, T) -> bool) -> usize {
    let pivot = items[0];
    let (mut low, mut high) = (1, items.len());
    loop {
        while less(items[low], pivot) {
            low += 1;
        }
        high -= 1;
        while less(pivot, items[high]) {
            high -= 1;
        }
        if low >= high {
            return low;
        }
        items.swap(low, high);
        low += 1;
    }
}

/// Moves an item left past all that it is less than.
fn insert<T: Copy>(items: &mut [T], at: usize, less: &impl Fn(T, T) -> bool) {
    let mut to = at;
    while to > 0 && less(items[at], items[to - 1]) {
        to -= 1;
    }
    items[to..=at].rotate_right(1);
}
