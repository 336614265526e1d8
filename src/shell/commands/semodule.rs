//! semodule: libsemanage's store of policy modules, and the files that it makes of the modules' own texts.
//!
//! What a compiler of policies makes (each module's CIL, the linked and the kernel's policy, the checksum over all CIL) is not
//! made, nor are caches of compiled patterns: `configure/policy.rs` names the paths. A store without them is what libsemanage
//! finds after an upgrade of its own format: `semodule -B` compiles the modules again and adds what is missing.

use std::io::{Read, Write};

use crate::{
    selinux::{self, Package, Policy},
    shell::{Fatal, Process, Status, options},
    tree::{Errno, Node, PathError},
};

mod commit;
mod store;

use store::Store;

/// Priority of what is installed without `-X`.
const DEFAULT_PRIORITY: u16 = 400;
const PRIORITIES: std::ops::RangeInclusive<u16> = 1..=999;
/// Bound for one module; Debian's largest has 10 MB.
const MAX_MODULE: u64 = 1 << 28;
/// Ending of a policy package, which names its language in the store.
const LANGUAGE: &[u8] = b"pp";

const OPTIONS: &[&str] =
    &["store s=", "install i=", "list-modules l?", "priority X=", "disable d=", "build B", "noreload n N"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, OPTIONS)?;
    let mut steps: Vec<(&str, Vec<u8>)> = arguments.options.clone();
    steps.retain(|(option, _)| !matches!(*option, "store" | "noreload"));
    let Some((last, _)) = steps.last().cloned() else { return Err(process.not_modelled("no mode")) };
    if !arguments.operands.is_empty() && last != "install" {
        return Err(process.not_modelled("operands that are no modules to install"));
    }
    if steps.len() > 1 && arguments.has("build") {
        return Err(process.not_modelled("--build with other modes"));
    }
    steps.extend(arguments.operands.into_iter().map(|module| ("install", module)));
    let name = match arguments.options.iter().rev().find(|(option, _)| *option == "store") {
        Some((_, name)) => name.clone(),
        None => store::configured(process)?,
    };
    let store = Store::open(process, &name)?;
    let mut priority = DEFAULT_PRIORITY;
    let mut changed = false;
    for (option, value) in steps {
        let done = match option {
            "priority" => {
                priority = parse_priority(process, &value)?;
                true
            }
            "list-modules" => list(process, &store, &value)?,
            "install" => install(process, &store, priority, &value)?,
            "disable" => disable(process, &store, &value)?,
            _ => true,
        };
        if !done {
            let program = process.argv.first().cloned().unwrap_or_default();
            process.write(2, &[&program, b":  Failed on ".as_slice(), &value, b"!\n"].concat())?;
            return Ok(Status::FAILURE);
        }
        changed |= matches!(option, "install" | "disable" | "build");
    }
    if changed {
        commit::commit(process, &store)?;
    }
    Ok(Status::SUCCESS)
}

fn parse_priority(process: &Process<'_>, text: &[u8]) -> Result<u16, Fatal> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    let number = number.filter(|number| PRIORITIES.contains(number));
    number.ok_or_else(|| process.not_modelled(format!("priority `{}`", text.escape_ascii())))
}

/// One line a module: priority, name, language, and whether it is disabled.
fn list(process: &mut Process<'_>, store: &Store, kind: &[u8]) -> Result<bool, Fatal> {
    let modules = store.modules(process);
    if modules.is_empty() {
        process.out(b"No modules.\n")?;
        return Ok(true);
    }
    if kind != b"full" {
        return Err(process.not_modelled("a list that is not full"));
    }
    if modules.iter().any(|module| module.priority != modules[0].priority) {
        return Err(process.not_modelled("a list of modules of several priorities"));
    }
    let width = modules.iter().map(|module| module.name.len()).max().unwrap_or(0);
    for module in &modules {
        let name = String::from_utf8_lossy(&module.name);
        let state = if store.is_disabled(process, &module.name) { "disabled" } else { "" };
        process.out(format!("{:03} {name:<width$} pp {state:<8}\n", module.priority).as_bytes())?;
    }
    Ok(true)
}

/// Puts a package into the store, compressed as libsemanage compresses it, whatever it was.
fn install(process: &mut Process<'_>, store: &Store, priority: u16, path: &[u8]) -> Result<bool, Fatal> {
    let bytes = match process.read_file(path) {
        Ok(bytes) => bytes,
        Err(PathError { errno: errno @ Errno::NotFound, .. }) => {
            let shown = String::from_utf8_lossy(path);
            let said = [("map_compressed_file", "open"), ("semanage_direct_install_file", "read file")]
                .map(|(who, what)| format!("libsemanage.{who}: Unable to {what} {shown}\n ({errno}).\n"));
            process.write(2, said.concat().as_bytes())?;
            return Ok(false);
        }
        Err(error) => return Err(process.not_modelled(error.to_string())),
    };
    let plain = decompressed(process, &bytes)?;
    let odd = |error: selinux::Error| process.not_modelled(format!("{}: {error}", path.escape_ascii()));
    let package = Package::parse(&plain).map_err(odd)?;
    let policy = Policy::parse(package.policy).map_err(odd)?;
    let file = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
    let file = file.strip_suffix(b".bz2").unwrap_or(file);
    if file.strip_suffix(b".pp") != Some(&policy.name) {
        let name = policy.name.escape_ascii();
        return Err(process.not_modelled(format!("module `{name}` in a file called `{}`", path.escape_ascii())));
    }
    remark(process, store, priority, &policy.name)?;
    let folder = store.module(priority, &policy.name);
    store.write(process, &[&folder, b"/hll".as_slice()].concat(), compressed(&plain))?;
    store.write(process, &[&folder, b"/lang_ext".as_slice()].concat(), LANGUAGE.to_vec())?;
    Ok(true)
}

/// What libsemanage says when the module is there already.
fn remark(process: &mut Process<'_>, store: &Store, priority: u16, name: &[u8]) -> Result<(), Fatal> {
    const WHO: &str = "libsemanage.semanage_direct_install_info: ";
    let text = name.escape_ascii().to_string();
    match store.modules(process).iter().find(|module| module.name == name).map(|module| module.priority) {
        Some(other) if other > priority => {
            let line = format!(
                "{WHO}A higher priority {text} module exists at priority {other} and will override the module currently being \
                 installed at priority {priority}.\n"
            );
            process.write(2, line.as_bytes())?;
        }
        Some(other) if other < priority => {
            let line = format!(
                "{WHO}Overriding {text} module at lower priority {other} with module at priority {priority}.\n"
            );
            process.out(line.as_bytes())?;
        }
        _ => {}
    }
    if store.is_disabled(process, name) {
        let line = format!(
            "{WHO}{text} module will be disabled after install as there is a disabled instance of this module present in the \
             system.\n"
        );
        process.write(2, line.as_bytes())?;
    }
    Ok(())
}

fn disable(process: &mut Process<'_>, store: &Store, name: &[u8]) -> Result<bool, Fatal> {
    if !store.modules(process).iter().any(|module| module.name == name) {
        return Err(process.not_modelled(format!("disabling `{}`, which is no module", name.escape_ascii())));
    }
    store.write(process, &store.disabled(name), Vec::new())?;
    Ok(true)
}

/// What bzip2 made, or what is no bzip2 file, as it is.
fn decompressed(process: &Process<'_>, bytes: &[u8]) -> Result<Vec<u8>, Fatal> {
    if !bytes.starts_with(b"BZh") {
        return Ok(bytes.to_vec());
    }
    let mut plain = Vec::new();
    let mut decoder = bzip2::read::BzDecoder::new(bytes).take(MAX_MODULE + 1);
    decoder.read_to_end(&mut plain).map_err(|error| process.not_modelled(format!("a broken module: {error}")))?;
    if plain.len() as u64 > MAX_MODULE {
        return Err(Fatal::Limit { what: "bytes in a policy module", limit: MAX_MODULE });
    }
    Ok(plain)
}

/// With the largest blocks, as libsemanage does.
fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("vectors take everything")
}

/// Makes a file anew; folders above it that are missing are made for root alone.
fn write(process: &mut Process<'_>, path: &[u8], mode: u16, bytes: Vec<u8>) -> Result<(), Fatal> {
    let folder = &path[..path.iter().rposition(|&b| b == b'/').unwrap_or(0)];
    make_folder(process, folder)?;
    let _ = process.machine.tree.unlink(path);
    let made = process.create(path, mode, Node::Regular(bytes.into()));
    let id = made.map_err(|error| process.not_modelled(error.to_string()))?;
    // libsemanage sets the mode itself, whatever the umask.
    process.machine.tree.stat_mut(id).mode = mode;
    Ok(())
}

fn make_folder(process: &mut Process<'_>, path: &[u8]) -> Result<(), Fatal> {
    let mut stat = process.new_stat(0o700);
    stat.mode = 0o700;
    let made = process.machine.tree.create_dir_all(path, &stat);
    made.map(|_| ()).map_err(|error| process.not_modelled(error.to_string()))
}
