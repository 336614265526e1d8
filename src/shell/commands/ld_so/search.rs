//! Where the loader looks for a library: `DT_RPATH`, `LD_LIBRARY_PATH`, `DT_RUNPATH`, the cache, the default folders.

use super::{
    Target,
    objects::{Failure, Found, Loaded},
};
use crate::{
    elf,
    ldcache::{self, Library},
    shell::{Fatal, Process},
    tree::{Content, Node, Tree, TreePath},
};

/// Bytes of the smallest file that has an ELF header of 64 bits.
const HEADER: usize = 64;

/// What is the same for all libraries of a program.
#[derive(Debug)]
pub(super) struct Search<'t> {
    target: &'t Target,
    folder: TreePath,
    library_path: Option<Vec<u8>>,
    cache: Vec<Library>,
    default_folders: [Vec<u8>; 4],
}

impl<'t> Search<'t> {
    pub(super) fn new(
        process: &Process<'_>,
        target: &'t Target,
        library_path: Option<&[u8]>,
        inhibit_cache: bool,
    ) -> Result<Self, Fatal> {
        let tree = &process.machine.tree;
        if tree.read(b"/etc/ld.so.preload").is_ok_and(|text| !text.is_empty()) {
            return Err(process.not_modelled("`/etc/ld.so.preload`"));
        }
        let cache = match tree.read(b"/etc/ld.so.cache") {
            Ok(bytes) if !inhibit_cache => {
                ldcache::read(&bytes).map_err(|error| process.not_modelled(format!("`/etc/ld.so.cache`: {error}")))?
            }
            _ => ldcache::Cache::default(),
        };
        let usable =
            |library: &Library| library.hwcaps.is_none() && (library.flags == target.flags || library.flags == 1);
        let folder = |start: &str, end: &str| format!("{start}{end}").into_bytes();
        Ok(Self {
            target,
            folder: process.folder.clone(),
            library_path: library_path.filter(|path| !path.is_empty()).map(<[u8]>::to_vec),
            cache: cache.libraries.into_iter().filter(usable).collect(),
            default_folders: [
                folder("/lib/", target.triplet),
                folder("/usr/lib/", target.triplet),
                folder("/lib", ""),
                folder("/usr/lib", ""),
            ],
        })
    }

    pub(super) fn loader_soname(&self) -> &'static [u8] {
        self.target.path.rsplit('/').next().unwrap_or_default().as_bytes()
    }

    /// The program at a path.
    pub(super) fn open(&self, tree: &Tree, path: &[u8]) -> Result<Found, Failure> {
        match self.at(tree, path)? {
            Some(Candidate::Right(found)) => Ok(*found),
            Some(Candidate::Other(reason)) => Err(Failure { path: path.to_vec(), reason }),
            None => Err(Failure { path: path.to_vec(), reason: Failure::MISSING }),
        }
    }

    /// The library of this name that the object at `asking` needs; `None` when there is none.
    pub(super) fn needed(
        &self,
        tree: &Tree,
        all: &[Loaded],
        asking: usize,
        name: &[u8],
    ) -> Result<Option<Found>, Failure> {
        if name.contains(&b'/') {
            return match self.at(tree, name)? {
                Some(Candidate::Right(found)) => Ok(Some(*found)),
                Some(Candidate::Other(_)) | None => Ok(None),
            };
        }
        let at = |index: usize| all.get(index).and_then(|object| object.found.as_ref());
        let runpath = at(asking).and_then(|found| found.dynamic.runpath.clone());
        if runpath.is_none() {
            let chain = std::iter::successors(Some(asking), |&index| all.get(index).and_then(|object| object.parent));
            // The program's own counts for all, as the last of every chain.
            for found in chain.filter_map(at).filter(|found| found.dynamic.runpath.is_none()) {
                let rpath = found.dynamic.rpath.as_deref().unwrap_or_default();
                if let Some(found) = self.along(tree, rpath, b":", Some(&found.origin), name)? {
                    return Ok(Some(found));
                }
            }
        }
        let main = at(0).map(|found| found.origin.as_slice());
        if let Some(found) = self.along(tree, self.library_path.as_deref().unwrap_or_default(), b":;", main, name)? {
            return Ok(Some(found));
        }
        let origin = at(asking).map(|found| found.origin.as_slice());
        if let Some(found) = self.along(tree, runpath.as_deref().unwrap_or_default(), b":", origin, name)? {
            return Ok(Some(found));
        }
        self.usual(tree, name, at(asking).is_some_and(|found| found.dynamic.no_default_folders))
    }

    /// Along a list of folders; one that is empty is the current.
    fn along(
        &self,
        tree: &Tree,
        list: &[u8],
        separators: &[u8],
        origin: Option<&[u8]>,
        name: &[u8],
    ) -> Result<Option<Found>, Failure> {
        if list.is_empty() {
            return Ok(None);
        }
        for folder in list.split(|b| separators.contains(b)) {
            let mut path = self.tokens(origin, folder);
            while path.len() > 1 && path.ends_with(b"/") {
                path.pop();
            }
            if !path.is_empty() && path != b"/" {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            if let Some(Candidate::Right(found)) = self.at(tree, &path)? {
                return Ok(Some(*found));
            }
        }
        Ok(None)
    }

    /// In the cache and the default folders.
    fn usual(&self, tree: &Tree, name: &[u8], no_default_folders: bool) -> Result<Option<Found>, Failure> {
        let is_default = |path: &[u8]| {
            let begins =
                |folder: &Vec<u8>| path.strip_prefix(folder.as_slice()).is_some_and(|rest| rest.starts_with(b"/"));
            self.default_folders.iter().any(begins)
        };
        let cached = self.cache.iter().find(|library| library.soname == name).map(|library| library.path.as_slice());
        if let Some(path) = cached.filter(|path| !no_default_folders || !is_default(path))
            && let Some(Candidate::Right(found)) = self.at(tree, path)?
        {
            return Ok(Some(*found));
        }
        for folder in self.default_folders.iter().filter(|_| !no_default_folders) {
            if let Some(Candidate::Right(found)) = self.at(tree, &[folder, b"/".as_slice(), name].concat())? {
                return Ok(Some(*found));
            }
        }
        Ok(None)
    }

    /// The file at a path, if it is there.
    fn at(&self, tree: &Tree, path: &[u8]) -> Result<Option<Candidate>, Failure> {
        let broken = |reason| Err(Failure { path: path.to_vec(), reason });
        let absolute = crate::shell::process::absolute(&self.folder, path);
        let Ok((inode, _)) = tree.resolve(&absolute) else { return Ok(None) };
        let Node::Regular(content) = &tree.get(inode).node else {
            return broken("cannot read file data: Is a directory");
        };
        let Some(bytes) = content.bytes(Content::READ_LIMIT) else { return broken("file too large") };
        if bytes.len() < HEADER {
            return broken("file too short");
        }
        let dynamic = match elf::dynamic(&bytes) {
            Ok(dynamic) => dynamic,
            Err(elf::Error::Magic) => return broken("invalid ELF header"),
            Err(elf::Error::Malformed) => return broken("malformed ELF file"),
        };
        if !dynamic.is_64 {
            return Ok(Some(Candidate::Other("wrong ELF class: ELFCLASS32")));
        }
        if dynamic.machine != self.target.machine {
            return Ok(Some(Candidate::Other(Failure::MISSING)));
        }
        if !dynamic.is_shared && !dynamic.is_executable {
            return broken("only ET_DYN and ET_EXEC can be loaded");
        }
        let origin = self.origin(path);
        Ok(Some(Candidate::Right(Box::new(Found { path: path.to_vec(), inode, dynamic, origin }))))
    }

    /// The folder of a path as it was written, links and dots not resolved.
    fn origin(&self, path: &[u8]) -> Vec<u8> {
        let mut whole = if path.starts_with(b"/") { Vec::new() } else { self.folder.as_bytes().to_vec() };
        if !path.starts_with(b"/") && !whole.ends_with(b"/") {
            whole.push(b'/');
        }
        whole.extend_from_slice(path);
        let end = whole.iter().rposition(|&b| b == b'/').unwrap_or(0).max(1);
        whole.truncate(end);
        whole
    }

    /// A needed name with its tokens replaced.
    pub(super) fn expand(&self, found: Option<&Found>, name: &[u8]) -> Vec<u8> {
        self.tokens(found.map(|found| found.origin.as_slice()), name)
    }

    /// Replaces `$ORIGIN`, `$LIB`, `$PLATFORM`, with or without braces; any other dollar stays.
    fn tokens(&self, origin: Option<&[u8]>, text: &[u8]) -> Vec<u8> {
        let library = [b"lib/", self.target.triplet.as_bytes()].concat();
        let tokens =
            [("ORIGIN", origin.unwrap_or_default()), ("PLATFORM", self.target.platform.as_bytes()), ("LIB", &library)];
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(dollar) = memchr::memchr(b'$', rest) {
            out.extend_from_slice(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            let token = tokens.iter().find_map(|(name, value)| {
                let braced = rest.strip_prefix(b"{").and_then(|rest| rest.strip_prefix(name.as_bytes()));
                let behind = braced.and_then(|rest| rest.strip_prefix(b"}"));
                Some((behind.or_else(|| rest.strip_prefix(name.as_bytes()))?, *value))
            });
            match token {
                Some((behind, value)) => {
                    out.extend_from_slice(value);
                    rest = behind;
                }
                None => out.push(b'$'),
            }
        }
        out.extend_from_slice(rest);
        out
    }
}

/// A file where a library is looked for.
enum Candidate {
    Right(Box<Found>),
    /// One for another kind of processor, which is passed over, and what is said of it when it was asked for by path.
    Other(&'static str),
}
