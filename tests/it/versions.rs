//! Versions against dpkg's own comparison.

use std::cmp::Ordering;

use icos::deb::version::Version;

use crate::support::{
    judge::{judge, run},
    random::Random,
};

const PIECES: &[&str] =
    &["0", "1", "9", "10", "007", "99999999999999999999", "~", "~~", "+", ".", "-", ":", "a", "Z", "rc"];

fn text(random: &mut Random) -> String {
    let mut text = format!("{}{}", random.pick(&["", "0:", "1:", "12:"]), random.pick(&["0", "1", "1.0", "2"]));
    for _ in 0..random.below(6) {
        text += random.pick(PIECES);
    }
    text
}

/// Half of the pairs differ in one piece only: that is where orders go wrong.
fn pair(random: &mut Random) -> (String, String) {
    let a = text(random);
    let b = if random.below(2) == 0 { text(random) } else { a.clone() + random.pick(PIECES) };
    (a, b)
}

#[test]
fn order_is_dpkgs() {
    let mut random = Random::new(7);
    let (mut compared, mut refused) = (0, 0);
    for _ in 0..400 {
        let (a, b) = pair(&mut random);
        let ours = Version::new(&a).and_then(|a| Ok(a.cmp(&Version::new(&b)?)));
        let relation = match ours {
            Ok(Ordering::Less) => "lt",
            Ok(Ordering::Equal) => "eq",
            _ => "gt",
        };
        let Some(mut dpkg) = judge("dpkg") else { return };
        let (code, _, complaint) = run(dpkg.args(["--compare-versions", &a, relation, &b]));
        if ours.is_ok() {
            assert_eq!((code, complaint.as_str()), (0, ""), "{a} {relation} {b}");
            compared += 1;
        } else {
            assert!(complaint.contains("bad syntax"), "dpkg accepts {a} and {b}, we do not: {ours:?}");
            refused += 1;
        }
    }
    assert!(compared > 100 && refused > 10, "{compared} compared, {refused} refused");
}
