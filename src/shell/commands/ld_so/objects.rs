//! A program and the libraries that it needs, in the order in which the loader takes them up: breadth first.

use super::search::Search;
use crate::{
    elf::Dynamic,
    shell::{Fatal, Process},
    tree::InodeId,
};

/// Libraries of one program; a desktop's largest have some hundred.
const MAX_OBJECTS: usize = 4096;

/// A program or library that has been found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: Vec<u8>,
    pub(super) inode: InodeId,
    pub(super) dynamic: Dynamic,
    /// The folder that `$ORIGIN` stands for.
    pub(super) origin: Vec<u8>,
}

/// Why something can't be loaded.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) path: Vec<u8>,
    pub(super) reason: &'static str,
}

impl Failure {
    pub(super) const MISSING: &'static str = "cannot open shared object file: No such file or directory";
}

/// What a line of the list is about.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// As it was first asked for.
    pub(super) name: Vec<u8>,
    /// Where it is; the name itself for what is not searched.
    pub(super) path: Option<Vec<u8>>,
}

/// One object that has been taken up; those that are missing have nothing found.
#[derive(Debug)]
pub(super) struct Loaded {
    /// All names that it has been asked for.
    names: Vec<Vec<u8>>,
    pub(super) found: Option<Found>,
    /// Which object asked for it first.
    pub(super) parent: Option<usize>,
    is_loader: bool,
}

/// Takes up the libraries of a program, `lists_missing` saying whether it may lack some; all but the program itself, in the loader's order.
pub(super) fn load(
    process: &Process<'_>,
    search: &Search<'_>,
    program: Found,
    loader: &[u8],
    lists_missing: bool,
) -> Result<Result<Vec<Object>, Failure>, Fatal> {
    let tree = &process.machine.tree;
    let interpreter = program.dynamic.interpreter.clone().unwrap_or_else(|| loader.to_vec());
    let loader_names = [interpreter.as_slice(), loader, search.loader_soname()];
    let mut all =
        vec![Loaded { names: vec![program.path.clone()], found: Some(program), parent: None, is_loader: false }];
    let mut next = 0;
    while next < all.len() {
        let (needed, is_filter) = all[next]
            .found
            .as_ref()
            .map_or((Vec::new(), false), |found| (found.dynamic.needed.clone(), found.dynamic.is_filter));
        if is_filter {
            return Err(process.not_modelled(format!("a filter, `{}`", all[next].names[0].escape_ascii())));
        }
        for name in needed {
            let name = search.expand(all[next].found.as_ref(), &name);
            if all.iter().any(|object| object.is_called(&name)) {
                continue;
            }
            if loader_names.contains(&name.as_slice()) {
                let taken = all.iter().any(|object| object.is_loader);
                if !taken {
                    let names = loader_names.iter().map(|name| name.to_vec()).collect();
                    all.push(Loaded { names, found: None, parent: Some(next), is_loader: true });
                }
                continue;
            }
            let found = match search.needed(tree, &all, next, &name) {
                Ok(None) if !lists_missing => {
                    return Ok(Err(Failure { path: name, reason: Failure::MISSING }));
                }
                Ok(found) => found,
                Err(failure) => return Ok(Err(failure)),
            };
            let same = |object: &&mut Loaded| {
                object
                    .found
                    .as_ref()
                    .is_some_and(|other| found.as_ref().is_some_and(|found| found.inode == other.inode))
            };
            if let Some(object) = all.iter_mut().find(same) {
                object.names.push(name);
                continue;
            }
            all.push(Loaded { names: vec![name], found, parent: Some(next), is_loader: false });
            if all.len() > MAX_OBJECTS {
                return Err(Fatal::Limit { what: "libraries of a program", limit: MAX_OBJECTS as u64 });
            }
        }
        next += 1;
    }
    Ok(Ok(arrange(&all, loader)))
}

impl Loaded {
    /// Whether a name means this object: one that it was asked for by, its path or its soname. A missing one is asked for anew.
    fn is_called(&self, name: &[u8]) -> bool {
        self.found.as_ref().is_some_and(|found| {
            found.path == name
                || found.dynamic.soname.as_deref() == Some(name)
                || self.names.iter().any(|known| known == name)
        })
    }
}

/// The list as it is printed: the kernel's own library first, the loader right after the last library before it that is there.
fn arrange(all: &[Loaded], loader: &[u8]) -> Vec<Object> {
    let vdso = b"linux-vdso.so.1".to_vec();
    let mut objects = vec![Object { path: Some(vdso.clone()), name: vdso }];
    let mut loader_at = 0;
    for object in all.iter().skip(1) {
        let name = object.names[0].clone();
        if object.is_loader {
            objects.insert(loader_at, Object { name, path: Some(loader.to_vec()) });
            continue;
        }
        objects.push(Object { name, path: object.found.as_ref().map(|found| found.path.clone()) });
        if object.found.is_some() {
            loader_at = objects.len();
        }
    }
    objects
}
