//! One running command: its arguments, environment, folder and descriptors, and how it reads and writes them.

use bytes::Bytes;

use super::{Descriptor, Descriptors, Environment, Machine, OpenFile, Work};
use crate::tree::{Content, Errno, InodeId, Node, PathError, Stat, TreePath};

/// Exit status: 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    pub const SUCCESS: Self = Self(0);
    pub const FAILURE: Self = Self(1);

    pub fn success(self) -> bool {
        self.0 == 0
    }
}

/// What ends a whole run, whatever the script would do about it: we don't know what the target would have done.
/// What a command itself reports is not fatal: it writes to descriptor 2 and returns a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    #[error("`{}` is not built in", .0.escape_ascii())]
    UnknownCommand(Vec<u8>),
    #[error("{command}: {what} is not modelled")]
    NotModelled { command: String, what: String },
    #[error("{kind} `{name}` is to have the number {id}, which `{holder}` has")]
    Pinned { kind: &'static str, name: String, id: u32, holder: String },
    #[error("more than {limit} {what}")]
    Limit { what: &'static str, limit: u64 },
    #[error("line {line}: {reason}")]
    Syntax { line: usize, reason: String },
    /// A fatal error inside an interpreted script, with where it is; innermost first.
    #[error("{}:{line}: {source}", script.escape_ascii())]
    At { script: Vec<u8>, line: usize, argv: Vec<Vec<u8>>, source: Box<Fatal> },
}

/// A command about to run; fields as `execve` and its caller set them.
#[derive(Debug)]
pub struct Launch {
    pub argv: Vec<Vec<u8>>,
    pub environment: Environment,
    pub folder: TreePath,
    pub umask: u16,
    pub descriptors: Descriptors,
}

/// A built-in command while it runs.
#[derive(Debug)]
pub struct Process<'m> {
    pub machine: &'m mut Machine,
    /// The arguments; the first is the command's name.
    pub argv: Vec<Vec<u8>>,
    pub environment: Environment,
    pub folder: TreePath,
    pub umask: u16,
    pub descriptors: Descriptors,
}

impl Process<'_> {
    /// The last part of the command's name.
    pub fn name(&self) -> &[u8] {
        let name = self.argv.first().map_or(&[] as &[u8], Vec::as_slice);
        name.rsplit(|&b| b == b'/').next().unwrap_or(name)
    }

    /// The arguments after the name.
    pub fn arguments(&self) -> Vec<Vec<u8>> {
        self.argv.iter().skip(1).cloned().collect()
    }

    /// `path` as seen from the process's folder.
    pub fn absolute(&self, path: &[u8]) -> Vec<u8> {
        absolute(&self.folder, path)
    }

    pub fn variable(&self, name: &str) -> Option<&[u8]> {
        self.environment.get(name.as_bytes()).map(Vec::as_slice)
    }

    /// Metadata for something that this process makes: root's, mode less the umask, at the build's time.
    pub fn new_stat(&self, mode: u16) -> Stat {
        Stat::root(mode & !self.umask, self.machine.epoch.timestamp())
    }

    pub fn out(&mut self, bytes: &[u8]) -> Result<(), Fatal> {
        self.write(1, bytes)
    }

    /// Writes `NAME: message` and a newline to descriptor 2.
    pub fn complain(&mut self, message: &str) -> Result<(), Fatal> {
        let mut line = self.name().to_vec();
        line.extend_from_slice(b": ");
        line.extend_from_slice(message.as_bytes());
        line.push(b'\n');
        self.write(2, &line)
    }

    /// Writes to an open descriptor; a closed one swallows the bytes.
    pub fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<(), Fatal> {
        let Some(descriptor) = self.descriptors.get(&fd).cloned() else { return Ok(()) };
        self.machine.write(&descriptor, bytes)
    }

    /// All that is left to read.
    pub fn read_all(&mut self, fd: u32) -> Bytes {
        let Some(descriptor) = self.descriptors.get(&fd).cloned() else { return Bytes::new() };
        self.machine.read_all(&descriptor)
    }

    /// The next line with its newline; the last may lack it; `None` at the end.
    pub fn read_line(&mut self, fd: u32) -> Option<Vec<u8>> {
        let descriptor = self.descriptors.get(&fd).cloned()?;
        self.machine.read_line(&descriptor)
    }

    /// A whole file of the tree, `-` being standard input.
    pub fn read_file(&mut self, path: &[u8]) -> Result<Bytes, PathError> {
        match path {
            b"-" if !self.descriptors.contains_key(&0) => Err(PathError::new(path, Errno::BadDescriptor)),
            b"-" | b"/dev/stdin" => Ok(self.read_all(0)),
            b"/dev/null" => Ok(Bytes::new()),
            _ => {
                let path = self.absolute(path);
                let id = self.machine.tree.lookup(&path)?;
                self.machine.contents(id).map_err(|errno| PathError::new(&path, errno))
            }
        }
    }

    /// An error about something that the command doesn't do, which ends the run.
    pub fn not_modelled(&self, what: impl Into<String>) -> Fatal {
        Fatal::NotModelled { command: String::from_utf8_lossy(self.name()).into_owned(), what: what.into() }
    }

    /// Runs another command in this process's environment, folder and descriptors, and waits for it.
    pub fn run(&mut self, argv: Vec<Vec<u8>>) -> Result<Status, Fatal> {
        self.machine.step()?;
        let launch = Launch {
            argv,
            environment: self.environment.clone(),
            folder: self.folder.clone(),
            umask: self.umask,
            descriptors: self.descriptors.clone(),
        };
        super::exec::execute(self.machine, launch)
    }
}

impl Machine {
    pub fn write(&mut self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), Fatal> {
        self.work(Work::Made(bytes.len()))?;
        let limit = self.limits.bytes;
        let mtime = self.epoch.timestamp();
        match &mut *descriptor.borrow_mut() {
            OpenFile::Null => {}
            OpenFile::Buffer { bytes: held, .. } => {
                if (held.len() + bytes.len()) as u64 > limit {
                    return Err(Fatal::Limit { what: "bytes in a pipe", limit });
                }
                held.extend_from_slice(bytes);
            }
            OpenFile::File { inode, position, append, writable, .. } => {
                if !*writable {
                    return Ok(());
                }
                if *append {
                    *position = self.tree.get(*inode).size();
                }
                if position.saturating_add(bytes.len() as u64) > limit {
                    return Err(Fatal::Limit { what: "bytes in a file that a script writes", limit });
                }
                // A gap is filled, and a file that others share is copied.
                let copied = match &self.tree.get(*inode).node {
                    Node::Regular(content) => position.saturating_sub(content.len()) + content.made_by_bytes(),
                    _ => 0,
                };
                self.work(Work::Made(copied as usize))?;
                self.tree.write_at(*inode, *position, bytes, mtime);
                *position += bytes.len() as u64;
            }
            OpenFile::Debconf => {
                if let Some(session) = &mut self.debconf {
                    session.write(&self.tree, bytes);
                }
            }
        }
        Ok(())
    }

    /// The whole contents of a regular file. Holes count as what is made; where too much of that would be, there are none.
    pub(super) fn contents(&mut self, id: InodeId) -> Result<Bytes, Errno> {
        let content = match &self.tree.get(id).node {
            Node::Regular(content) => content,
            Node::Directory(_) => return Err(Errno::IsDirectory),
            _ => return Err(Errno::Invalid),
        };
        let (length, made) = (content.len() as usize, content.made_by_bytes());
        let room = self.room();
        let bytes = if made > room { None } else { content.bytes(Content::READ_LIMIT) };
        self.has_worked(Work::Read(length));
        self.has_worked(Work::Made(made as usize));
        bytes.ok_or(Errno::Invalid)
    }

    /// All that is left to read.
    pub fn read_all(&mut self, descriptor: &Descriptor) -> Bytes {
        match &mut *descriptor.borrow_mut() {
            OpenFile::Null => Bytes::new(),
            OpenFile::Buffer { bytes, position } => {
                let rest = Bytes::copy_from_slice(&bytes[*position..]);
                *position = bytes.len();
                self.has_worked(Work::Made(rest.len()));
                rest
            }
            OpenFile::File { inode, position, readable, .. } => {
                let whole = if *readable { self.contents(*inode).unwrap_or_default() } else { Bytes::new() };
                let start = usize::try_from(*position).unwrap_or(usize::MAX).min(whole.len());
                *position = whole.len() as u64;
                whole.slice(start..)
            }
            OpenFile::Debconf => {
                self.debconf.as_mut().map(|session| std::mem::take(session.replies()).into()).unwrap_or_default()
            }
        }
    }

    /// A file's contents for who reads a line of it: they cost nothing unless there are holes to fill.
    fn shared(&mut self, id: InodeId) -> Bytes {
        match &self.tree.get(id).node {
            Node::Regular(content) if content.made_by_bytes() == 0 => {
                content.bytes(Content::READ_LIMIT).unwrap_or_default()
            }
            _ => self.contents(id).unwrap_or_default(),
        }
    }

    pub fn read_line(&mut self, descriptor: &Descriptor) -> Option<Vec<u8>> {
        match &mut *descriptor.borrow_mut() {
            OpenFile::Null => None,
            OpenFile::Buffer { bytes, position } => {
                let line = first_line(&bytes[*position..])?.to_vec();
                *position += line.len();
                Some(line)
            }
            OpenFile::File { inode, position, readable, .. } => {
                let whole = if *readable { self.shared(*inode) } else { Bytes::new() };
                let start = usize::try_from(*position).unwrap_or(usize::MAX).min(whole.len());
                let line = first_line(&whole[start..])?.to_vec();
                *position += line.len() as u64;
                Some(line)
            }
            OpenFile::Debconf => {
                let replies = self.debconf.as_mut()?.replies();
                let line = first_line(replies)?.to_vec();
                replies.drain(..line.len());
                Some(line)
            }
        }
    }
}

fn first_line(rest: &[u8]) -> Option<&[u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
    Some(&rest[..end])
}

/// `path` as seen from `folder`; an empty one stays empty, so that it names nothing.
pub(super) fn absolute(folder: &TreePath, path: &[u8]) -> Vec<u8> {
    if path.is_empty() || path.first() == Some(&b'/') {
        return path.to_vec();
    }
    let mut whole = folder.as_bytes().to_vec();
    whole.push(b'/');
    whole.extend_from_slice(path);
    whole
}
