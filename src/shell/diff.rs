//! The difference of two lists of lines: a longest common subsequence, and the changes between its runs.

use std::ops::Range;

/// Changes that stand together, with the lines around them that are shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    pub old: Range<usize>,
    pub new: Range<usize>,
    /// Replaced ranges of both sides, ascending, apart.
    pub changes: Vec<(Range<usize>, Range<usize>)>,
}

/// The hunks with up to `context` common lines around changes.
pub(super) fn hunks(a: &[&[u8]], b: &[&[u8]], context: usize) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for (old, new) in changes(a, b) {
        let start = old.start.saturating_sub(context);
        let before = old.start - start;
        let after = context.min(a.len() - old.end);
        match hunks.last_mut() {
            Some(last) if start <= last.old.end && context > 0 => {
                last.old.end = old.end + after;
                last.new.end = new.end + after;
                last.changes.push((old, new));
            }
            _ => hunks.push(Hunk {
                old: start..old.end + after,
                new: new.start - before..new.end + after,
                changes: vec![(old, new)],
            }),
        }
    }
    hunks
}

/// Myers' greedy algorithm; the trace of its frontiers is walked back into changes.
fn changes(a: &[&[u8]], b: &[&[u8]]) -> Vec<(Range<usize>, Range<usize>)> {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a[same..].iter().rev().zip(b[same..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..a.len() - tail], &b[same..b.len() - tail]);
    let kept = common(a, b);
    let mut all = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (x, y) in kept.into_iter().chain([(a.len(), b.len())]) {
        if i < x || j < y {
            all.push((same + i..same + x, same + j..same + y));
        }
        (i, j) = (x + 1, y + 1);
    }
    all
}

/// Pairs of equal lines, ascending on both sides.
fn common(a: &[&[u8]], b: &[&[u8]]) -> Vec<(usize, usize)> {
    let (n, m) = (a.len(), b.len());
    let mut furthest = vec![0; 2 * (n + m) + 2];
    let at = |k: isize| (k + (n + m).cast_signed()).cast_unsigned();
    let mut trace: Vec<Vec<usize>> = Vec::new();
    for d in 0..=(n + m).cast_signed() {
        trace.push(furthest.clone());
        for k in (-d..=d).step_by(2) {
            let down = k == -d || (k != d && furthest[at(k - 1)] < furthest[at(k + 1)]);
            let mut x = if down { furthest[at(k + 1)] } else { furthest[at(k - 1)] + 1 };
            let mut y = (x.cast_signed() - k).cast_unsigned();
            while x < n && y < m && a[x] == b[y] {
                x += 1;
                y += 1;
            }
            furthest[at(k)] = x;
            if x >= n && y >= m {
                return walk_back(&trace, (n, m), at);
            }
        }
    }
    Vec::new()
}

fn walk_back(trace: &[Vec<usize>], (mut x, mut y): (usize, usize), at: impl Fn(isize) -> usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (d, furthest) in trace.iter().enumerate().rev() {
        let (d, k) = (d.cast_signed(), x.cast_signed() - y.cast_signed());
        let down = k == -d || (k != d && furthest[at(k - 1)] < furthest[at(k + 1)]);
        let before = if down { k + 1 } else { k - 1 };
        let old_x = if d == 0 { 0 } else { furthest[at(before)] };
        let old_y = if d == 0 { 0 } else { (old_x.cast_signed() - before).cast_unsigned() };
        while x > old_x && y > old_y {
            x -= 1;
            y -= 1;
            pairs.push((x, y));
        }
        (x, y) = (old_x, old_y);
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_changes() {
        let check = |a: &str, b: &str, expect: &str| {
            let (a, b): (Vec<&[u8]>, Vec<&[u8]>) =
                (a.split(' ').map(str::as_bytes).collect(), b.split(' ').map(str::as_bytes).collect());
            let text: Vec<_> = changes(&a, &b).iter().map(|(x, y)| format!("{x:?}/{y:?}")).collect();
            assert_eq!(text.join(" "), expect);
        };
        check("a b c", "a b c", "");
        check("a b c", "a c", "1..2/1..1");
        check("a c", "a b c", "1..1/1..2");
        check("a b c d", "a x c y", "1..2/1..2 3..4/3..4");
        check("a b c a b b a", "c b a b a c", "0..2/0..0 3..3/1..2 5..6/4..4 7..7/5..6");
    }
}
