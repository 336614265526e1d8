//! Python's byte-compilers: what they check and say; by policy they make no byte code, so that little else is left of them.

use super::super::{
    Fatal, Process, Status,
    dpkg::installed_paths,
    files::{base_name, dir_name, join, show},
    options,
};

const DEFAULTS: &[u8] = b"/usr/share/python3/debian_defaults";

/// Major and minor number.
type Version = (u32, u32);

/// Whether a name is that of an interpreter: `python3`, `python3.11`.
pub(super) fn is_interpreter(name: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(b"python3") else { return false };
    rest.is_empty() || rest.strip_prefix(b".").is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit))
}

/// The interpreter, as far as scripts have it compile files.
pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = process.arguments();
    let is_own = |word: &Vec<u8>| word.len() > 1 && word[0] == b'-' && word != b"-m" && word != b"-c";
    let own = arguments.iter().take_while(|word| is_own(word)).count();
    options::parse_list(process, arguments[..own].to_vec(), &["E", "I", "O", "S", "b", "s", "u"])?;
    // What follows the program is the program's own.
    let (program, files) = match &arguments[own..] {
        [option, module, files @ ..] if option == b"-m" => (module.clone(), files),
        [path, files @ ..] if path.first() != Some(&b'-') => (base_name(path).to_vec(), files),
        _ => return Err(process.not_modelled("a program on the command line or on standard input")),
    };
    match program.as_slice() {
        b"py_compile" | b"py_compile.py" => py_compile(process, files),
        b"compileall" | b"compileall.py" => Ok(Status::SUCCESS),
        other => Err(process.not_modelled(format!("the program `{}`", show(other)))),
    }
}

fn py_compile(process: &mut Process<'_>, operands: &[Vec<u8>]) -> Result<Status, Fatal> {
    let files: Vec<Vec<u8>> = match operands {
        [] => {
            process.write(2, b"py_compile.py: error: the following arguments are required: filenames\n")?;
            return Ok(Status(2));
        }
        [dash] if dash == b"-" => {
            process.read_all(0).split(|&b| b == b'\n').filter(|l| !l.is_empty()).map(<[u8]>::to_vec).collect()
        }
        files => files.to_vec(),
    };
    for file in &files {
        if file.first() == Some(&b'-') {
            return Err(process.not_modelled(format!("option `{}`", show(file))));
        }
        if let Err(error) = process.lookup(file) {
            let text = format!("[Errno 2] {}: '{}'", error.errno, show(file));
            process.write(2, text.as_bytes())?;
            return Ok(Status::FAILURE);
        }
    }
    Ok(Status::SUCCESS)
}

pub(super) fn py3compile(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments =
        options::parse(process, &["v verbose", "q quiet", "f force", "O", "p package=", "V=", "X exclude="])?;
    if arguments.has("X") && arguments.operands.is_empty() {
        process.complain("error: --exclude option works with private directories only")?;
        return Ok(Status(2));
    }
    let range = String::from_utf8_lossy(arguments.value("V").unwrap_or_default()).into_owned();
    let Some((least, below)) = parse_range(&range) else {
        process.complain(&format!("error: option -V: version range is invalid: {range}"))?;
        return Ok(Status(2));
    };
    if !is_one_installed(process, least, below)? {
        process.write(2, b"E: py3compile:276: Requested versions are not installed\n")?;
        return Ok(Status(3));
    }
    if let Some(package) = arguments.value("p").map(<[u8]>::to_vec) {
        if !is_installed(process, &package) {
            return no_package(process, &package);
        }
        for item in arguments.operands {
            if process.lookup(&item).is_err() {
                let line = format!("W: py3compile:289: No such file or directory: {}\n", show(&item));
                process.write(2, line.as_bytes())?;
            }
        }
    } else if arguments.operands.is_empty() {
        process
            .out(b"Usage: py3compile [-V [X.Y][-][A.B]] DIR_OR_FILE [-X REGEXPR]\n       py3compile -p PACKAGE\n\n")?;
        return Ok(Status::FAILURE);
    }
    Ok(Status::SUCCESS)
}

/// PyPy's twin does the same for another interpreter, whose versions nobody chooses.
pub(super) fn pypy3compile(process: &mut Process<'_>) -> Result<Status, Fatal> {
    options::parse(process, &["v verbose", "q quiet", "f force", "p package=", "V=", "X exclude="])?;
    Ok(Status::SUCCESS)
}

/// Takes away byte code that a package brought.
pub(super) fn py3clean(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["v verbose", "q quiet", "p package=", "V="])?;
    let tag = match arguments.value("V").map(|v| String::from_utf8_lossy(v).into_owned()) {
        None => None,
        Some(version) => match parse_version(&version) {
            Some((major, minor)) if process.lookup(format!("/usr/bin/python{version}").as_bytes()).is_ok() => {
                Some(format!("cpython-{major}{minor}").into_bytes())
            }
            _ => {
                let line = format!("E: py3clean:65: cannot find magic tag for Python {version}\n");
                process.write(2, line.as_bytes())?;
                return Ok(Status(4));
            }
        },
    };
    let package = arguments.value("p").map(<[u8]>::to_vec);
    if package.is_none() && arguments.operands.is_empty() {
        process.out(b"Usage: py3clean [-V VERSION] [-p PACKAGE] [DIR_OR_FILE]\n\n")?;
        return Ok(Status::FAILURE);
    }
    if let Some(package) = package.as_ref().filter(|package| !is_installed(process, package)) {
        return no_package(process, package);
    }
    for source in sources(process, package.as_deref(), &arguments.operands) {
        clean(process, &source, tag.as_deref());
    }
    Ok(Status::SUCCESS)
}

/// The modules' source files that a package or folders have, or both.
fn sources(process: &mut Process<'_>, package: Option<&[u8]>, operands: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_source = |path: &[u8]| path.ends_with(b".py");
    let listed = package.map(|package| {
        let (name, _) = split_architecture(package);
        let lists = installed_paths(process, name).into_iter().flat_map(|(_, paths)| paths);
        lists.filter(|path| is_source(path)).collect::<Vec<_>>()
    });
    if operands.is_empty() {
        return listed.unwrap_or_default();
    }
    let mut found = Vec::new();
    for operand in operands {
        let operand = process.absolute(operand);
        let Ok(top) = process.lookup(&operand) else { continue };
        let below = process.below(&operand, top).into_iter().map(|(path, _)| path);
        found.extend(below.filter(|path| is_source(path) && listed.as_ref().is_none_or(|all| all.contains(path))));
    }
    found
}

/// Removes what was compiled of one source file, and the cache folder when that leaves it empty.
fn clean(process: &mut Process<'_>, source: &[u8], tag: Option<&[u8]>) {
    let tree = &mut process.machine.tree;
    let name = source.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let stem = [name.strip_suffix(b".py").unwrap_or(name), b"."].concat();
    let cache = join(dir_name(source), b"__pycache__");
    let is_its = |name: &[u8]| match (name.strip_prefix(stem.as_slice()), tag) {
        (Some(rest), Some(tag)) => matches!(rest.strip_prefix(tag), Some(b".pyc" | b".pyo")),
        (rest, _) => rest.is_some(),
    };
    let names = tree.find(&cache).and_then(|folder| folder.entries()).into_iter().flat_map(|entries| entries.keys());
    let mut doomed: Vec<Vec<u8>> =
        names.filter(|name| is_its(name.as_bytes())).map(|name| join(&cache, name.as_bytes())).collect();
    if tag.is_none() {
        doomed.extend([[source, b"c"].concat(), [source, b"o"].concat()]);
    }
    for path in doomed {
        // What is not there need not go; nor a cache folder that holds more.
        let _ = tree.unlink(&path);
        let _ = tree.remove_dir(&cache);
    }
}

fn split_architecture(package: &[u8]) -> (&[u8], Option<&[u8]>) {
    let colon = package.iter().position(|&b| b == b':');
    colon.map_or((package, None), |at| (&package[..at], Some(&package[at + 1..])))
}

fn is_installed(process: &Process<'_>, package: &[u8]) -> bool {
    let (name, architecture) = split_architecture(package);
    let fits = |list: &[u8]| list.is_empty() || architecture.is_none_or(|wanted| wanted == list);
    installed_paths(process, name).iter().any(|(list, _)| fits(list))
}

fn no_package(process: &mut Process<'_>, package: &[u8]) -> Result<Status, Fatal> {
    let line = format!("Exception: cannot get content of {}\n", show(package));
    process.write(2, line.as_bytes())?;
    Ok(Status::FAILURE)
}

fn parse_version(text: &str) -> Option<Version> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `X.Y`, `X.Y-`, `-X.Y` or `X.Y-A.B`: the least version and what all must be below; one alone is both.
fn parse_range(text: &str) -> Option<(Option<Version>, Option<Version>)> {
    let end = |text: &str| if text.is_empty() { Some(None) } else { parse_version(text).map(Some) };
    match text.split_once('-') {
        None => end(text).map(|one| (one, one)),
        Some((least, below)) => Some((end(least)?, end(below)?)),
    }
}

/// Whether the tree has an interpreter of those that Debian supports and the range means.
fn is_one_installed(process: &Process<'_>, least: Option<Version>, below: Option<Version>) -> Result<bool, Fatal> {
    let has = |(major, minor): Version| process.lookup(format!("/usr/bin/python{major}.{minor}").as_bytes()).is_ok();
    if let Some(one) = least.filter(|_| least == below)
        && has(one)
    {
        return Ok(true);
    }
    let defaults = process.machine.tree.read(DEFAULTS).unwrap_or_default();
    let defaults = String::from_utf8_lossy(&defaults);
    let row = defaults.lines().find_map(|line| line.strip_prefix("supported-versions")?.trim_start().strip_prefix('='));
    let Some(row) = row else { return Err(process.not_modelled("a system without supported versions of Python")) };
    let supported = row.split(',').filter_map(|word| parse_version(word.trim().strip_prefix("python")?));
    let meant = |version: &Version| {
        least.is_none_or(|least| *version >= least)
            && below.is_none_or(|below| *version < below || (least == Some(below) && *version == below))
    };
    Ok(supported.filter(meant).any(has))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ranges() {
        for name in ["python3", "python3.9", "python3.11"] {
            assert!(is_interpreter(name.as_bytes()), "{name}");
        }
        for name in ["python", "python2", "python3.", "python3-config", "python3.11-config"] {
            assert!(!is_interpreter(name.as_bytes()), "{name}");
        }
        assert_eq!(parse_range(""), Some((None, None)));
        assert_eq!(parse_range("-"), Some((None, None)));
        assert_eq!(parse_range("3.11"), Some((Some((3, 11)), Some((3, 11)))));
        assert_eq!(parse_range("3.2-4.0"), Some((Some((3, 2)), Some((4, 0)))));
        assert_eq!(parse_range("-3.7"), Some((None, Some((3, 7)))));
        assert_eq!(parse_range("three"), None);
    }
}
