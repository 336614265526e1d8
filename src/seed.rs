//! The one source of identifiers: UUIDs derived from what a thing is, never drawn at random.

use uuid::Uuid;

/// Namespace of every identifier that icos derives (RFC 9562 §5.5, version 5), itself derived from the DNS namespace.
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"icos.image")
}

/// The UUID of the thing that `names` lead to, outermost first: `["guestos/dev", "A_root", "hash-seed"]`.
pub fn uuid(names: &[&str]) -> Uuid {
    let mut label = Vec::new();
    for name in names {
        label.extend_from_slice(&(name.len() as u64).to_le_bytes());
        label.extend_from_slice(name.as_bytes());
    }
    Uuid::new_v5(&namespace(), &label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_apart() {
        assert_eq!(uuid(&["a", "b"]), uuid(&["a", "b"]));
        assert_ne!(uuid(&["a", "b"]), uuid(&["ab"]));
        assert_ne!(uuid(&["a", "b"]), uuid(&["b", "a"]));
    }
}
