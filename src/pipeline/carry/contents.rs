//! Which files builds of some targets need: part of the bundle's format, since importers compute it anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::super::{Result, base, read_lock};
use crate::{
    bundle::{Error, Kind, Link, PROJECT, STORE},
    digest::Sha256,
    lock::{Lock, Source},
    manifest::project::{Project, Target},
    overlay,
};

/// Everything but the program, by path in the bundle.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) files: Files,
    pub(super) links: Vec<Link>,
    pub(super) folders: Vec<String>,
}

pub(super) type Files = BTreeMap<String, File>;

#[derive(Debug)]
pub(super) struct File {
    pub(super) kind: Kind,
    pub(super) from: From,
    /// For an error that it is not there.
    pub(super) about: String,
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum From {
    Project(PathBuf),
    Store(Sha256),
}

/// The definition of every image goes along, since an overlay may name any image's variants; of all else, what the targets name.
pub(super) fn of(project: &Project, targets: &BTreeSet<(Target, String)>) -> Result<Contents> {
    let mut all = Contents::default();
    for target in project.targets()? {
        all.project(Kind::Definition, &format!("ic-os/{}/image.toml", target.os), project);
    }
    let mut overlays = BTreeSet::new();
    for (target, base_name) in targets {
        let (lock, _) = read_lock(project, base_name, target)?;
        all.lock(&lock, project);
        all.project(Kind::Lock, &project.relative(&project.lock_file(base_name, target)), project);
        all.project(Kind::Definition, &project.relative(&project.base_file(base_name)), project);
        for key in base(project, base_name)?.archives.iter().flat_map(|archive| &archive.keys) {
            all.project(Kind::Key, &project.relative(&project.keys().join(&key.file)), project);
        }
        let (image, _) = project.image(&target.os)?;
        let config = &image.boot.config;
        for file in ["esp.cfg", "grub.cfg", "grubenv", "boot_args"] {
            let folder = if file == "esp.cfg" { String::new() } else { format!("{config}/") };
            all.project(Kind::Definition, &format!("bootloader/{folder}{file}"), project);
        }
        project.check(target)?;
        for name in &image.variants[&target.variant].overlays {
            overlays.insert(name.clone());
            for sum in overlay::stored(&project.overlay(name), &target.variant)? {
                all.store(Kind::Artifact, sum, format!("artifact {sum} of overlay `{name}`"));
            }
        }
    }
    for name in &overlays {
        all.overlay(project, &project.overlay(name))?;
    }
    all.links.sort();
    all.folders.sort();
    Ok(all)
}

impl Contents {
    fn project(&mut self, kind: Kind, path: &str, project: &Project) {
        let file = File { kind, from: From::Project(project.root.join(path)), about: path.to_owned() };
        self.files.insert(format!("{PROJECT}{path}"), file);
    }

    /// What a sum is there for first, by the order of kinds, it is there for.
    fn store(&mut self, kind: Kind, sum: Sha256, about: String) {
        let path = format!("{STORE}{sum}");
        if self.files.get(&path).is_none_or(|file| kind < file.kind) {
            self.files.insert(path, File { kind, from: From::Store(sum), about });
        }
    }

    fn lock(&mut self, lock: &Lock, project: &Project) {
        for (key, package) in &lock.packages {
            match &package.source {
                Source::Project { path } => self.project(Kind::Package, path, project),
                Source::Archive { .. } => {
                    let about = format!("package {} {}", key.name, package.version.as_str());
                    self.store(Kind::Package, package.file.sha256, about);
                }
            }
        }
        for (name, suite) in &lock.suites {
            self.store(Kind::Release, suite.in_release, format!("InRelease of {}", name.suite));
            if let Some(signature) = suite.signature {
                self.store(Kind::Release, signature, format!("Release.gpg of {}", name.suite));
            }
            for (path, index) in &suite.indexes {
                self.store(Kind::Index, index.sha256, format!("index {}/{path}", name.suite));
            }
        }
    }

    /// Everything in a folder. Links are kept as they are, and folders only when they are empty.
    fn overlay(&mut self, project: &Project, folder: &Path) -> Result<()> {
        let mut empty = true;
        for entry in fs_err::read_dir(folder)? {
            empty = false;
            let path = entry?.path();
            let meta = fs_err::symlink_metadata(&path)?;
            let shown = || path.display().to_string();
            let cannot = |why| Error::Cannot { path: shown(), why };
            let relative = path.strip_prefix(&project.root).ok().and_then(Path::to_str);
            let relative = relative.ok_or_else(|| cannot("its name is not UTF-8"))?;
            if meta.is_dir() {
                self.overlay(project, &path)?;
            } else if meta.is_symlink() {
                let target = fs_err::read_link(&path)?;
                let target = target.to_str().ok_or_else(|| cannot("it leads to a name that is not UTF-8"))?;
                self.links.push(Link { path: format!("{PROJECT}{relative}"), target: target.to_owned() });
            } else if meta.is_file() {
                self.project(Kind::Definition, relative, project);
            } else {
                return Err(cannot("it is neither file, folder nor symbolic link").into());
            }
        }
        if empty {
            self.folders.push(format!("{PROJECT}{}", project.relative(folder)));
        }
        Ok(())
    }
}

pub(super) fn is_executable(path: &Path) -> std::io::Result<bool> {
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o100 != 0)
}
