//! Open files of the shell: tree files, pipes kept whole in memory, and nothing else.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::tree::InodeId;

/// An open file description; descriptors that were duplicated share it, position included.
pub type Descriptor = Rc<RefCell<OpenFile>>;

/// What a descriptor leads to.
#[derive(Debug)]
pub enum OpenFile {
    /// `/dev/null`: reads nothing, swallows everything.
    Null,
    /// Both ends of a pipe, or output that is captured: written at the end, read from `position`.
    Buffer { bytes: Vec<u8>, position: usize },
    /// A regular file of the tree.
    File { inode: InodeId, position: u64, append: bool, readable: bool, writable: bool },
    /// Both ends of the machine's conversation with debconf: lines written are commands, what is read are replies.
    Debconf,
}

impl OpenFile {
    pub fn null() -> Descriptor {
        Rc::new(RefCell::new(Self::Null))
    }

    /// A pipe that holds `bytes`.
    pub fn buffer(bytes: Vec<u8>) -> Descriptor {
        Rc::new(RefCell::new(Self::Buffer { bytes, position: 0 }))
    }

    /// The descriptors of a script that talks to debconf.
    pub fn debconf() -> Descriptor {
        Rc::new(RefCell::new(Self::Debconf))
    }

    /// Takes what a [`OpenFile::Buffer`] holds and has not been read; empty for the other kinds.
    pub fn take(descriptor: &Descriptor) -> Vec<u8> {
        match &mut *descriptor.borrow_mut() {
            Self::Buffer { bytes, position } => {
                let mut all = std::mem::take(bytes);
                all.drain(..std::mem::take(position));
                all
            }
            Self::Null | Self::File { .. } | Self::Debconf => Vec::new(),
        }
    }
}

/// A process's descriptor table.
pub type Descriptors = BTreeMap<u32, Descriptor>;
