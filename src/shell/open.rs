//! Opening files of the tree, and the few device files that scripts use, which are there whatever the tree says.

use crate::{
    shell::{Descriptor, Descriptors, Machine, OpenFile},
    tree::{Content, Device, Errno, Node, TreePath},
};

/// What to open a file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Read,
    /// Makes it or empties it; `exclusive` refuses a regular file that is there.
    Write {
        exclusive: bool,
    },
    /// Makes it if need be, and writes at its end.
    Append,
    /// Makes it if need be, and leaves what is in it.
    ReadWrite,
}

/// Why a file can't be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Errno(Errno),
    /// A device that is never there, such as a terminal.
    #[error("No such device or address")]
    NoDevice,
    #[error("`{}`, a device or pipe", .0.escape_ascii())]
    NotModelled(Vec<u8>),
}

impl OpenError {
    /// The message, with the shell's words for what is missing.
    pub(super) fn reason(&self, missing: &str) -> String {
        match self {
            Self::Errno(Errno::NotFound) => missing.to_owned(),
            error => error.to_string(),
        }
    }
}

impl From<Errno> for OpenError {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl Machine {
    /// Opens `path`, absolute, for a process with these descriptors.
    pub fn open(
        &mut self,
        path: &[u8],
        how: How,
        umask: u16,
        descriptors: &Descriptors,
    ) -> Result<Descriptor, OpenError> {
        if let Some(special) = special(path, descriptors) {
            return special;
        }
        let writes = how != How::Read;
        let inode = match self.tree.lookup(path) {
            Ok(inode) if how == (How::Write { exclusive: true }) && self.tree.get(inode).is_file() => {
                return Err(Errno::Exists.into());
            }
            Ok(inode) => inode,
            Err(error) if error.errno == Errno::NotFound && writes => {
                if path.ends_with(b"/") {
                    return Err(Errno::IsDirectory.into());
                }
                let place = self.tree.dangling(path).map_err(|error| error.errno)?;
                let node = Node::Regular(Content::empty());
                self.create(&place, 0o666 & !umask, node).map_err(|error| error.errno)?
            }
            Err(error) => return Err(error.errno.into()),
        };
        match &self.tree.get(inode).node {
            Node::Regular(_) => {}
            Node::Directory(_) if writes => return Err(Errno::IsDirectory.into()),
            Node::Directory(_) => {}
            Node::CharDevice(Device { major: 1, minor: 3 }) => return Ok(OpenFile::null()),
            Node::CharDevice(Device { major: 5, minor: 0 }) => return Err(OpenError::NoDevice),
            _ => return Err(OpenError::NotModelled(path.to_vec())),
        }
        if matches!(how, How::Write { .. }) {
            let mtime = self.epoch.timestamp();
            self.tree.set_content(inode, Content::empty(), mtime)?;
        }
        let file = OpenFile::File {
            inode,
            position: 0,
            append: how == How::Append,
            readable: matches!(how, How::Read | How::ReadWrite),
            writable: writes,
        };
        Ok(std::rc::Rc::new(std::cell::RefCell::new(file)))
    }
}

/// The devices that answer whatever the tree holds, and the names of open descriptors.
fn special(path: &[u8], descriptors: &Descriptors) -> Option<Result<Descriptor, OpenError>> {
    let path = TreePath::new(path).ok()?;
    let fd = match path.as_bytes() {
        b"/dev/null" => return Some(Ok(OpenFile::null())),
        b"/dev/tty" => return Some(Err(OpenError::NoDevice)),
        b"/dev/stdin" => 0,
        b"/dev/stdout" => 1,
        b"/dev/stderr" => 2,
        path => {
            let name = path.strip_prefix(b"/dev/fd/").or_else(|| path.strip_prefix(b"/proc/self/fd/"))?;
            std::str::from_utf8(name).ok()?.parse().ok()?
        }
    };
    Some(descriptors.get(&fd).cloned().ok_or(OpenError::Errno(Errno::NotFound)))
}
