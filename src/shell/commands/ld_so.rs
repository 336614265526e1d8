//! The dynamic loader called as a program, as `ldd` does: which libraries a program needs and where they are.
//!
//! The processor is the plainest of its architecture: no `glibc-hwcaps`, no platform folders. Addresses, which are random on a
//! real system, go up from a fixed one.

use crate::shell::{Fatal, Process, Status};

mod objects;
mod search;

use objects::{Failure, Object};

/// The loader of one architecture.
#[derive(Debug)]
pub(super) struct Target {
    /// `e_machine`.
    machine: u16,
    /// Where programs name it.
    path: &'static str,
    /// `$LIB` and the default folders.
    triplet: &'static str,
    /// `$PLATFORM`.
    platform: &'static str,
    /// What the cache calls its libraries.
    flags: u32,
}

const X86_64: Target = Target {
    machine: 62,
    path: "/lib64/ld-linux-x86-64.so.2",
    triplet: "x86_64-linux-gnu",
    platform: "x86_64",
    flags: 0x0303,
};
const AARCH64: Target = Target {
    machine: 183,
    path: "/lib/ld-linux-aarch64.so.1",
    triplet: "aarch64-linux-gnu",
    platform: "aarch64",
    flags: 0x0a03,
};

pub(super) fn x86_64(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, &X86_64)
}

pub(super) fn aarch64(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, &AARCH64)
}

/// What to do with the program.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Run,
    /// What is missing is an error.
    List,
    /// What is missing is listed as such.
    Trace,
    Verify,
}

/// What the command line and the environment ask for.
struct Request {
    mode: Mode,
    library_path: Option<Vec<u8>>,
    inhibit_cache: bool,
    file: Vec<u8>,
}

fn run(process: &mut Process<'_>, target: &Target) -> Result<Status, Fatal> {
    if process.arguments().first().is_some_and(|first| first == b"--version") {
        return version(process, target);
    }
    let request = request(process)?;
    if request.mode == Mode::Run {
        return Err(process.not_modelled("running a program"));
    }
    let search = search::Search::new(process, target, request.library_path.as_deref(), request.inhibit_cache)?;
    let program = match search.open(&process.machine.tree, &request.file) {
        Ok(found) => found,
        Err(failure) => return fail(process, request.mode, &request.file, &failure),
    };
    if request.mode == Mode::Verify {
        return Ok(Status(match (program.dynamic.is_dynamic, program.dynamic.interpreter.is_some()) {
            (false, _) => 1,
            (true, true) => 0,
            (true, false) => 2,
        }));
    }
    if !program.dynamic.is_dynamic {
        return Err(process.not_modelled("a list for a static program"));
    }
    if program.dynamic.needed.is_empty() {
        process.out(b"\tstatically linked\n")?;
        return Ok(Status::SUCCESS);
    }
    let loader = process.argv.first().cloned().unwrap_or_default();
    match objects::load(process, &search, program, &loader, request.mode == Mode::Trace)? {
        Ok(objects) => {
            list(process, &objects)?;
            Ok(Status::SUCCESS)
        }
        Err(failure) => fail(process, request.mode, &request.file, &failure),
    }
}

/// Reads the command line up to the program, and the variables that matter.
fn request(process: &Process<'_>) -> Result<Request, Fatal> {
    let set = |name: &str| process.variable(name).is_some_and(|value| !value.is_empty());
    for name in ["LD_VERBOSE", "LD_WARN", "LD_DEBUG", "LD_PRELOAD", "LD_AUDIT", "LD_PROFILE"] {
        if set(name) {
            return Err(process.not_modelled(name));
        }
    }
    let mode = if process.variable("LD_TRACE_LOADED_OBJECTS").is_some() { Mode::Trace } else { Mode::Run };
    let library_path = process.variable("LD_LIBRARY_PATH").map(<[u8]>::to_vec);
    let mut request = Request { mode, library_path, inhibit_cache: false, file: Vec::new() };
    let mut rest = process.arguments().into_iter();
    while let Some(argument) = rest.next() {
        match argument.as_slice() {
            b"--list" => request.mode = Mode::List,
            b"--verify" => request.mode = Mode::Verify,
            b"--inhibit-cache" => request.inhibit_cache = true,
            b"--library-path" => request.library_path = rest.next(),
            option if option.starts_with(b"--") => {
                return Err(process.not_modelled(format!("option `{}`", option.escape_ascii())));
            }
            // A name alone is searched as a library is, but not quite; `ldd` puts `./` before it.
            name if !name.contains(&b'/') => return Err(process.not_modelled("a program without a path")),
            _ => {
                request.file = argument;
                return Ok(request);
            }
        }
    }
    Err(process.not_modelled("a command line without a program"))
}

/// The loader's own words, which are in its file.
fn version(process: &mut Process<'_>, target: &Target) -> Result<Status, Fatal> {
    let bytes = process.machine.tree.read(target.path.as_bytes()).unwrap_or_default();
    let Some(start) = memchr::memmem::find(&bytes, b"ld.so (") else {
        return Err(process.not_modelled(format!("--version without its text in `{}`", target.path)));
    };
    let text = bytes[start..].split(|&b| b == 0).next().unwrap_or_default();
    process.out(text)?;
    Ok(Status::SUCCESS)
}

fn fail(process: &mut Process<'_>, mode: Mode, program: &[u8], failure: &Failure) -> Result<Status, Fatal> {
    if mode == Mode::Verify {
        return Ok(Status::FAILURE);
    }
    let text =
        [program, b": error while loading shared libraries: ", &failure.path, b": ", failure.reason.as_bytes(), b"\n"];
    process.write(2, &text.concat())?;
    Ok(Status(127))
}

/// Where the first library is; each has this much room.
const BASE: u64 = 0x7fff_e000_0000;
const ROOM: u64 = 0x0010_0000;

fn list(process: &mut Process<'_>, objects: &[Object]) -> Result<(), Fatal> {
    let mut out = Vec::new();
    for (object, address) in objects.iter().zip((BASE..).step_by(usize::try_from(ROOM).unwrap_or(usize::MAX))) {
        out.push(b'\t');
        out.extend_from_slice(&object.name);
        let address = format!(" (0x{address:016x})\n");
        match &object.path {
            None => out.extend_from_slice(b" => not found\n"),
            Some(path) if *path == object.name => out.extend_from_slice(address.as_bytes()),
            Some(path) => out.extend([b" => ", path.as_slice(), address.as_bytes()].concat()),
        }
    }
    process.out(&out)
}
