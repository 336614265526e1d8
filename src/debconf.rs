//! debconf in memory: its three databases, template files, and the protocol that configuration scripts speak.
//!
//! The databases are the files that debconf(7) keeps in `/var/cache/debconf`; [`Databases::read`] and
//! [`Databases::write`] take them from and to a tree byte for byte. [`Session`] answers the protocol of
//! debconf-devel(7) as the noninteractive front end does.

use crate::tree::{Errno, Node, Stat, Timestamp, Tree};

mod database;
mod element;
mod format;
mod preseed;
mod question;
mod session;
mod template;

pub use database::{Item, Items};
pub use preseed::{PreseedError, preseed};
pub use session::{Preferences, Session, escape, unescape};
pub use template::{TemplateError, Templates};

/// Where the databases are kept, as debconf.conf(5) of the package has it.
const FOLDER: &[u8] = b"/var/cache/debconf";
const CONFIG: &[u8] = b"/var/cache/debconf/config.dat";
const PASSWORDS: &[u8] = b"/var/cache/debconf/passwords.dat";
const TEMPLATES: &[u8] = b"/var/cache/debconf/templates.dat";

/// Questions, the questions whose template is of type `password`, and templates.
#[derive(Clone, Debug, Default)]
pub struct Databases {
    config: Items,
    passwords: Items,
    templates: Items,
}

/// Why databases can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error(transparent)]
    Tree(#[from] crate::tree::PathError),
    #[error("`{}`: record {record}: {reason}", path.escape_ascii())]
    Record { path: Vec<u8>, record: usize, reason: &'static str },
}

impl Databases {
    /// Reads the databases of a tree; files that are not there are empty.
    pub fn read(tree: &Tree) -> Result<Self, DatabaseError> {
        let file = |path: &[u8]| match tree.read(path) {
            Ok(bytes) => format::read(&bytes).map_err(|(record, reason)| DatabaseError::Record {
                path: path.to_vec(),
                record,
                reason,
            }),
            Err(error) if error.errno == Errno::NotFound => Ok(Items::default()),
            Err(error) => Err(error.into()),
        };
        Ok(Self { config: file(CONFIG)?, passwords: file(PASSWORDS)?, templates: file(TEMPLATES)? })
    }

    /// Writes what has changed since the databases were read; a file that was not there is made, be it empty.
    pub fn write(&mut self, tree: &mut Tree, mtime: Timestamp) -> Result<(), DatabaseError> {
        tree.create_dir_all(FOLDER, &Stat::root(0o755, mtime))?;
        let files = [
            (CONFIG, 0o644, &mut self.config),
            (PASSWORDS, 0o600, &mut self.passwords),
            (TEMPLATES, 0o644, &mut self.templates),
        ];
        for (path, mode, items) in files {
            if tree.find(path).is_some() {
                if !items.changed() {
                    continue;
                }
                tree.unlink(path)?;
            }
            let content = format::write(items);
            tree.create(path, Stat::root(mode, mtime), Node::Regular(content.into()))?;
            items.saved();
        }
        Ok(())
    }
}
