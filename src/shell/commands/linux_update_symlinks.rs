//! `linux-update-symlinks`: `/vmlinuz`, `/initrd.img` and their `.old` twins, which lead to the two kernels that come first.

use super::{
    super::{
        Fatal, Process, Status,
        canonical::relative,
        files::{join, show},
    },
    linux_version::{compare, images, usage},
};
use crate::tree::{Errno, Node, PathError};

mod configuration;

const BOOT_INITRD: &[u8] = b"/boot/initrd.img-";

/// A kernel and what it boots with.
#[derive(Clone)]
struct Image {
    version: Vec<u8>,
    path: Vec<u8>,
    initrd: Option<Vec<u8>>,
}

#[derive(PartialEq)]
enum Change {
    Install,
    Upgrade,
    Remove,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = process.arguments();
    if arguments.iter().any(|word| word == b"--help") || arguments.first().is_some_and(|word| word == b"help") {
        return Err(process.not_modelled("help"));
    }
    let [change, version, path] = arguments.as_slice() else { return usage(process) };
    let change = match change.as_slice() {
        b"install" => Change::Install,
        b"upgrade" => Change::Upgrade,
        b"remove" => Change::Remove,
        _ => return usage(process),
    };
    let configuration = configuration::read(process)?;
    if !configuration.do_symlinks {
        return Ok(Status::SUCCESS);
    }
    let kernel = join(&configuration.folder, stem(&process.machine.architecture));
    let kernels = [[kernel.as_slice(), b".old"].concat(), kernel];
    let initrd = join(&configuration.folder, b"initrd.img");
    let initrds = [[initrd.as_slice(), b".old"].concat(), initrd];
    let sorted = by_priority(process, &change, version, path, &kernels);
    let Some(current) = sorted.last() else {
        process.write(2, b"W: Last kernel image has been removed, so removing the default symlinks\n")?;
        kernels.iter().chain(&initrds).for_each(|link| unlink(process, link));
        return Ok(Status::SUCCESS);
    };
    // A single kernel is the old one too.
    let old = sorted.iter().rev().nth(1).unwrap_or(current);
    for ((image, kernel), initrd) in [old, current].into_iter().zip(&kernels).zip(&initrds) {
        if let Err(status) = link(process, &image.path, kernel)? {
            return Ok(status);
        }
        match &image.initrd {
            None => unlink(process, initrd),
            Some(path) => {
                if let Err(status) = link(process, path, initrd)? {
                    return Ok(status);
                }
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// What the kernel's link has always been called on an architecture.
fn stem(architecture: &str) -> &'static [u8] {
    let uncompressed = ["mips", "hppa", "powerpc", "ppc"];
    if uncompressed.iter().any(|start| architecture.starts_with(start)) { b"vmlinux" } else { b"vmlinuz" }
}

/// The kernels, the most wanted last: by version, then those that the links lead to, then one that is being installed.
fn by_priority(
    process: &Process<'_>,
    change: &Change,
    version: &[u8],
    path: &[u8],
    links: &[Vec<u8>; 2],
) -> Vec<Image> {
    let mut sorted: Vec<Image> = images(process)
        .into_iter()
        .map(|(version, path)| {
            let initrd = [BOOT_INITRD, &version].concat();
            let there = process.lookup(&initrd).is_ok_and(|id| process.inode(id).is_file());
            Image { version, path, initrd: there.then_some(initrd) }
        })
        .collect();
    sorted.sort_by(|a, b| compare(&a.version, &b.version));
    // The files of this version may be there already or still.
    let initrd = (process.variable("INITRD") != Some(b"No")).then(|| [BOOT_INITRD, version].concat());
    let this = Image { version: version.to_vec(), path: path.to_vec(), initrd };
    let place = sorted.iter().position(|image| compare(version, &image.version).is_le()).unwrap_or(sorted.len());
    let known = sorted.get(place).is_some_and(|image| compare(version, &image.version).is_eq());
    let behind = if known { place + 1 } else { place };
    sorted.splice(place..behind, (*change == Change::Upgrade).then(|| this.clone()));
    for link in links {
        promote(process, &mut sorted, link);
    }
    if *change == Change::Install {
        sorted.push(this);
    }
    sorted
}

/// Puts the kernel that a link leads to behind all others.
fn promote(process: &Process<'_>, sorted: &mut Vec<Image>, link: &[u8]) {
    let Ok(id) = process.lookup_no_follow(link) else { return };
    let Node::Symlink(target) = &process.inode(id).node else { return };
    let folder = &link[..link.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1)];
    let target = if target.first() == Some(&b'/') { target.to_vec() } else { join(folder, target) };
    let target = clean(&process.absolute(&target));
    if let Some(index) = sorted.iter().position(|image| image.path == target) {
        let image = sorted.remove(index);
        sorted.push(image);
    }
}

/// A path without doubled slashes and `.`; a `..` stays.
fn clean(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|&b| b == b'/').filter(|part| !part.is_empty() && *part != b".");
    let whole: Vec<u8> = parts.flat_map(|part| [b"/", part].concat()).collect();
    if whole.is_empty() { b"/".to_vec() } else { whole }
}

/// Makes `name` a relative link to `target`, in one step; or says why not, which is the end with this status.
fn link(process: &mut Process<'_>, target: &[u8], name: &[u8]) -> Result<Result<(), Status>, Fatal> {
    let name = process.absolute(name);
    let folder = clean(super::super::files::dir_name(&name));
    let target = relative(&clean(&process.absolute(target)), &folder);
    let old = process.lookup_no_follow(&name).map(|id| &process.inode(id).node);
    if matches!(old, Ok(Node::Symlink(old)) if old.as_ref() == target.as_slice()) {
        return Ok(Ok(()));
    }
    let temporary = [name.as_slice(), b".new"].concat();
    let made = process.create(&temporary, 0o777, Node::Symlink(target.clone().into()));
    let what = if made.is_ok() { "create or replace" } else { "create symlink to" };
    let moved = made.and_then(|_| process.machine.tree.rename(&temporary, &name));
    if let Err(PathError { errno, .. }) = moved {
        unlink(process, &temporary);
        let shown = if what == "create or replace" { show(&name) } else { show(&target) };
        process.write(2, format!("Failed to {what} {shown}: {errno}\n").as_bytes())?;
        // Perl ends with the number of the error.
        let status = match errno {
            Errno::NotFound => 2,
            Errno::NotDirectory => 20,
            Errno::IsDirectory => 21,
            _ => 255,
        };
        return Ok(Err(Status(status)));
    }
    process.out(&[b"I: ", name.as_slice(), b" is now a symlink to ", &target, b"\n"].concat())?;
    Ok(Ok(()))
}

fn unlink(process: &mut Process<'_>, path: &[u8]) {
    let path = process.absolute(path);
    // It need not be there.
    let _ = process.machine.tree.unlink(&path);
}
