//! ldconfig: links by soname, and the loader's cache, as glibc 2.33 and later write both.
//!
//! No aux-cache, which only saves time. Messages about files that are no libraries are left out.

mod configuration;
mod folders;
mod print;
mod rooted;

use crate::{
    ldcache,
    shell::{
        Fatal, Process, Status,
        options::{self, Arguments},
    },
};

const OPTIONS: &[&str] =
    &["r=", "f=", "C=", "N", "X", "n", "p print-cache", "i ignore-aux-cache", "c format=", "V version"];

/// What one run does.
#[derive(Debug)]
struct Request {
    /// Where `/` is: a real path, empty for the tree's own.
    root: Vec<u8>,
    cache: Vec<u8>,
    configuration: Vec<u8>,
    makes_cache: bool,
    makes_links: bool,
    only_named: bool,
    named: Vec<Vec<u8>>,
}

/// glibc's architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    X86_64,
    Aarch64,
}

/// Which ldconfig it is.
#[derive(Debug)]
struct Version {
    /// What it says of itself in the cache.
    generator: Vec<u8>,
    minor: u32,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, OPTIONS)?;
    if arguments.has("V") || arguments.value("c").is_some_and(|format| format != b"new") {
        return Err(process.not_modelled("-V, and -c but for `new`"));
    }
    let request = match request(process, &arguments) {
        Ok(request) => request,
        Err(message) => {
            process.complain(&message)?;
            return Ok(Status::FAILURE);
        }
    };
    if arguments.has("p") {
        return print::run(process, &request);
    }
    let machine = match process.machine.architecture.as_str() {
        "amd64" => Machine::X86_64,
        "arm64" => Machine::Aarch64,
        other => return Err(process.not_modelled(format!("architecture {other}"))),
    };
    let version = version(process)?;
    let folders = configuration::folders(process, &request, machine)?;
    let mut libraries = Vec::new();
    for folder in &folders {
        libraries.extend(folders::search(process, &request, machine, &version, folder)?);
    }
    if !request.makes_cache {
        return Ok(Status::SUCCESS);
    }
    let subdirectories: Vec<Vec<u8>> = folders.into_iter().filter_map(|folder| folder.hwcaps).collect();
    save(process, &request, ldcache::render(libraries, &subdirectories, &version.generator))
}

fn request(process: &Process<'_>, arguments: &Arguments) -> Result<Request, String> {
    let tree = &process.machine.tree;
    let root = match arguments.value("r") {
        None => Vec::new(),
        Some(root) => {
            let real = tree.resolve(&process.absolute(root)).map_err(|error| format!("Can't chroot: {error}"))?;
            if real.1.is_root() { Vec::new() } else { real.1.as_bytes().to_vec() }
        }
    };
    // After a chroot the current folder is the new root.
    let inside = |path: &[u8]| match (root.is_empty(), path.starts_with(b"/")) {
        (_, true) => path.to_vec(),
        (true, false) => process.absolute(path),
        (false, false) => [b"/", path].concat(),
    };
    let makes_cache = !arguments.has("N") && !arguments.has("n");
    if let Some(path) = arguments.operands.iter().find(|path| makes_cache && !path.starts_with(b"/")) {
        return Err(format!("relative path `{}' used to build cache", String::from_utf8_lossy(path)));
    }
    Ok(Request {
        cache: inside(arguments.value("C").unwrap_or(b"/etc/ld.so.cache")),
        configuration: inside(arguments.value("f").unwrap_or(b"/etc/ld.so.conf")),
        makes_cache,
        makes_links: !arguments.has("X"),
        only_named: arguments.has("n"),
        named: arguments.operands.iter().map(|path| inside(path)).collect(),
        root,
    })
}

/// What the target's ldconfig calls itself, which is a text in its file. Ubuntu's is a script that calls `ldconfig.real`.
fn version(process: &Process<'_>) -> Result<Version, Fatal> {
    for path in ["/sbin/ldconfig.real", "/usr/sbin/ldconfig.real", "/sbin/ldconfig", "/usr/sbin/ldconfig"] {
        let Ok(bytes) = process.machine.tree.read(path.as_bytes()) else { continue };
        let found = memchr::memmem::find_iter(&bytes, b"ldconfig (").find_map(|start| {
            let text = bytes[start..].split(|&b| b == 0).next()?;
            let number = text.windows(11).position(|at| at == b" version 2.").map(|at| &text[at + 11..])?;
            let minor = number.iter().take_while(|b| b.is_ascii_digit()).take(4);
            let minor = minor.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
            Some(Version { generator: text.to_vec(), minor })
        });
        match found {
            Some(version) if version.minor >= 33 => return Ok(version),
            Some(_) => return Err(process.not_modelled("glibc before 2.33")),
            None => {}
        }
    }
    Err(process.not_modelled("a tree whose ldconfig does not say its version"))
}

/// Puts the cache in place as ldconfig does: a new file beside it, renamed.
fn save(process: &mut Process<'_>, request: &Request, text: Vec<u8>) -> Result<Status, Fatal> {
    let temporary = [request.cache.as_slice(), b"~"].concat();
    let slash = request.cache.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let folder = rooted::resolve(&process.machine.tree, &request.root, &request.cache[..slash]);
    let stat = process.new_stat(0o644);
    let saved = folder.map(|folder| {
        let inside = |path: &[u8]| [folder.path.as_slice(), &path[slash..]].concat();
        let tree = &mut process.machine.tree;
        tree.write(&inside(&temporary), text, stat)?;
        tree.rename(&inside(&temporary), &inside(&request.cache))
    });
    let reason = match saved {
        Some(Ok(())) => return Ok(Status::SUCCESS),
        Some(Err(error)) => error.errno.to_string(),
        None => "No such file or directory".to_owned(),
    };
    process.complain(&format!("Can't create temporary cache file {}: {reason}", temporary.escape_ascii()))?;
    Ok(Status::FAILURE)
}
