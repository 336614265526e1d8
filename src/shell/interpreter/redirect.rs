//! Redirections (POSIX XCU 2.7).

use std::sync::Arc;

use super::{Shell, Unwind};
use crate::{
    shell::{
        Descriptor, OpenFile,
        open::{How, OpenError},
        raw::Raw,
        syntax::{HereDocument, Redirect, Target, Word},
    },
    tree::Errno,
};

/// A redirection whose words are expanded.
#[derive(Debug)]
pub(in crate::shell) enum Opened {
    File {
        fd: u32,
        path: Vec<u8>,
        how: How,
    },
    Duplicate {
        fd: u32,
        from: u32,
    },
    Close {
        fd: u32,
    },
    Here {
        fd: u32,
        body: Vec<u8>,
    },
    /// Its body is expanded when its turn comes, as in dash: what fails there is a failed redirection, and ends no shell.
    Document {
        fd: u32,
        document: Arc<HereDocument>,
    },
}

impl Shell<'_> {
    /// Expands the words of redirections.
    pub(in crate::shell) fn open_redirects(&mut self, redirects: &[Redirect]) -> Result<Vec<Opened>, Unwind> {
        redirects.iter().map(|redirect| self.expand_redirect(redirect)).collect()
    }

    fn expand_redirect(&mut self, redirect: &Redirect) -> Result<Opened, Unwind> {
        let fd = redirect.fd;
        let (word, how) = match &redirect.target {
            Target::Read(word) => (word, How::Read),
            Target::Write { word, clobber } => {
                (word, How::Write { exclusive: !clobber && self.state.options.noclobber() })
            }
            Target::Append(word) => (word, How::Append),
            Target::ReadWrite(word) => (word, How::ReadWrite),
            Target::Duplicate(word) => return self.expand_duplicate(fd, word),
            Target::HereString(word) => {
                let mut body = self.one(word)?;
                body.push(b'\n');
                return Ok(Opened::Here { fd, body });
            }
            Target::Here(document) => return Ok(Opened::Document { fd, document: document.clone() }),
        };
        Ok(Opened::File { fd, path: self.one(word)?, how })
    }

    fn expand_duplicate(&mut self, fd: u32, word: &Word) -> Result<Opened, Unwind> {
        let text = self.one(word)?;
        match text.as_slice() {
            b"-" => Ok(Opened::Close { fd }),
            [digit @ b'0'..=b'9'] => Ok(Opened::Duplicate { fd, from: u32::from(digit - b'0') }),
            _ => Err(self.error("Syntax error: Bad fd number")),
        }
    }

    /// Carries out redirections in the shell itself.
    pub(in crate::shell) fn apply_redirects(&mut self, redirects: Vec<Opened>) -> Result<(), Unwind> {
        if !redirects.is_empty() {
            self.mark();
        }
        for redirect in redirects {
            let (fd, descriptor) = match redirect {
                Opened::File { fd, path, how } => (fd, self.open(&path, how)?),
                Opened::Here { fd, body } => (fd, OpenFile::buffer(body)),
                Opened::Document { fd, document } => {
                    let body = document.body.get().map(|word| self.here(word)).transpose()?;
                    (fd, OpenFile::buffer(body.unwrap_or_default()))
                }
                Opened::Close { fd } => {
                    self.state.descriptors.remove(&fd);
                    continue;
                }
                Opened::Duplicate { fd, from } => match self.state.descriptors.get(&from) {
                    Some(descriptor) => (fd, descriptor.clone()),
                    None => return Err(self.error(&format!("{from}: Bad file descriptor"))),
                },
            };
            self.state.descriptors.insert(fd, descriptor);
        }
        Ok(())
    }

    fn open(&mut self, path: &[u8], how: How) -> Result<Descriptor, Unwind> {
        let absolute = if path.is_empty() { Vec::new() } else { self.absolute(path) };
        let error = if path.is_empty() {
            OpenError::Errno(Errno::NotFound)
        } else {
            match self.machine.open(&absolute, how, self.state.umask, &self.state.descriptors) {
                Ok(descriptor) => return Ok(descriptor),
                Err(error) => error,
            }
        };
        let (verb, missing) =
            if how == How::Read { ("open", "No such file") } else { ("create", "Directory nonexistent") };
        let reason = match error {
            OpenError::NotModelled(_) => {
                return Err(self.not_modelled(&format!("redirection to {error}")));
            }
            error => error.reason(missing),
        };
        Err(self.error(&format!("cannot {verb} {}: {reason}", Raw(path))))
    }

    /// Runs `body` with redirections, which are undone after it. A redirection that fails is its status.
    pub(super) fn redirected(
        &mut self,
        redirects: &[Redirect],
        tested: bool,
        body: impl FnOnce(&mut Self) -> Result<u32, Unwind>,
    ) -> Result<u32, Unwind> {
        let opened = self.open_redirects(redirects)?;
        let before = self.state.descriptors.clone();
        let result = match self.apply_redirects(opened) {
            Ok(()) => body(self),
            Err(Unwind::Error) if tested || !self.state.options.errexit() => Ok(self.status),
            Err(Unwind::Error) => Err(Unwind::Exit),
            Err(unwind) => Err(unwind),
        };
        self.state.descriptors = before;
        result
    }
}
