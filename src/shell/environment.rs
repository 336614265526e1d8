//! The environment of a process: exported variables by name, shared until it is changed.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Exported variables by name. A clone costs nothing; changing one leaves the others alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Arc<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Environment {
    pub fn new() -> Self {
        Self::default()
    }
}

impl Deref for Environment {
    type Target = BTreeMap<Vec<u8>, Vec<u8>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Environment {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl From<BTreeMap<Vec<u8>, Vec<u8>>> for Environment {
    fn from(variables: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        Self(Arc::new(variables))
    }
}

impl FromIterator<(Vec<u8>, Vec<u8>)> for Environment {
    fn from_iter<I: IntoIterator<Item = (Vec<u8>, Vec<u8>)>>(variables: I) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }
}

impl<'a> IntoIterator for &'a Environment {
    type Item = (&'a Vec<u8>, &'a Vec<u8>);
    type IntoIter = std::collections::btree_map::Iter<'a, Vec<u8>, Vec<u8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl IntoIterator for Environment {
    type Item = (Vec<u8>, Vec<u8>);
    type IntoIter = std::collections::btree_map::IntoIter<Vec<u8>, Vec<u8>>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<const N: usize> From<[(Vec<u8>, Vec<u8>); N]> for Environment {
    fn from(variables: [(Vec<u8>, Vec<u8>); N]) -> Self {
        variables.into_iter().collect()
    }
}
