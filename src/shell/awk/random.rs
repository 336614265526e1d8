//! Random numbers as the C library's `random` gives them: each is the sum of the 3rd and the 31st before it.

/// How many numbers the next depends on.
const DEGREE: usize = 31;

/// Numbers that are passed over after seeding.
const WARM_UP: usize = 310;

#[derive(Clone, Debug)]
pub(super) struct Random {
    last: [u32; DEGREE],
    /// The oldest of the last: the first three that are made of the seed count as the newest.
    at: usize,
}

impl Random {
    /// 0 is as good as 1.
    pub(super) fn new(seed: i32) -> Self {
        let mut last = [0; DEGREE];
        let mut value = i64::from(if seed == 0 { 1 } else { seed });
        for slot in &mut last {
            *slot = value as u32;
            // Minimal standard: of a negative seed, the remainder made positive.
            value = (16_807 * i64::from(value as i32)).rem_euclid(2_147_483_647);
        }
        let mut random = Self { last, at: 3 };
        for _ in 0..WARM_UP {
            random.step();
        }
        random
    }

    fn step(&mut self) -> u32 {
        let other = self.last[(self.at + DEGREE - 3) % DEGREE];
        let next = self.last[self.at].wrapping_add(other);
        self.last[self.at] = next;
        self.at = (self.at + 1) % DEGREE;
        next >> 1
    }

    /// From 0 to 1.
    pub(super) fn next(&mut self) -> f64 {
        f64::from(self.step()) / f64::from(i32::MAX)
    }
}
