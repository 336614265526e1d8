//! One database of debconf: named items with owners, fields, flags and variables.

use std::collections::{BTreeMap, BTreeSet};

/// Text as debconf treats it: bytes, mostly UTF-8.
pub(super) type Text = Vec<u8>;

/// A question or a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    pub owners: BTreeSet<Text>,
    pub fields: BTreeMap<Text, Text>,
    /// Only flags whose value is `true` are kept in the file.
    pub flags: BTreeMap<Text, Text>,
    pub variables: BTreeMap<Text, Text>,
}

/// The items of one file, by name.
#[derive(Clone, Debug, Default)]
pub struct Items {
    items: BTreeMap<Text, Item>,
    changed: bool,
}

impl Items {
    pub(super) fn get(&self, name: &[u8]) -> Option<&Item> {
        self.items.get(name)
    }

    /// The item, to be changed.
    pub(super) fn get_mut(&mut self, name: &[u8]) -> Option<&mut Item> {
        let item = self.items.get_mut(name);
        self.changed |= item.is_some();
        item
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.items.contains_key(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Text, &Item)> {
        self.items.iter()
    }

    /// Puts an item that was read from the file.
    pub(super) fn load(&mut self, name: Text, item: Item) {
        self.items.insert(name, item);
    }

    /// Notes an owner, and makes the item with its first one.
    pub(super) fn add_owner(&mut self, name: &[u8], owner: &[u8]) {
        let item = self.items.entry(name.to_vec()).or_default();
        self.changed |= item.owners.insert(owner.to_vec());
    }

    /// Forgets an owner, and the item with its last one.
    pub(super) fn remove_owner(&mut self, name: &[u8], owner: &[u8]) {
        let Some(item) = self.items.get_mut(name) else { return };
        self.changed |= item.owners.remove(owner);
        if item.owners.is_empty() {
            self.items.remove(name);
            self.changed = true;
        }
    }

    pub(super) fn changed(&self) -> bool {
        self.changed
    }

    pub(super) fn saved(&mut self) {
        self.changed = false;
    }
}
