//! The house rules that a machine can check: layers, sizes, module docs, words.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Layer of each top module under `src/`; a module imports from its own layer only what [`SIDEWAYS`] lists.
const LAYERS: &[(&str, u8)] = &[
    ("cause", 0),
    ("date", 0),
    ("digest", 0),
    ("epoch", 0),
    ("seed", 0),
    ("sparse", 0),
    ("map", 0),
    ("tails", 0),
    ("nearest", 0),
    ("progress", 0),
    ("bytes", 0),
    ("tree", 1),
    ("deb", 1),
    ("debconf", 1),
    ("dpkg", 1),
    ("manifest", 1),
    ("lock", 1),
    ("ext4", 2),
    ("fat", 2),
    ("gpt", 2),
    ("verity", 2),
    ("cpio", 2),
    ("tar", 2),
    ("zst", 2),
    ("shell", 2),
    ("elf", 2),
    ("ldcache", 2),
    ("x509", 2),
    ("catalog", 2),
    ("glib", 2),
    ("hwdb", 2),
    ("icon_cache", 2),
    ("info_dir", 2),
    ("x11_fonts", 2),
    ("kmod", 2),
    ("mime", 2),
    ("selinux", 2),
    ("trust", 3),
    ("mirror", 3),
    ("store", 3),
    ("fetch", 3),
    ("resolve", 3),
    ("review", 3),
    ("unpack", 3),
    ("configure", 3),
    ("output", 3),
    ("overlay", 3),
    ("boot", 3),
    ("bundle", 3),
    ("image", 3),
    ("label", 3),
    ("disk", 3),
    ("verify", 3),
    ("pipeline", 4),
    ("cli", 5),
    ("main", 5),
    ("lib", 5),
];

/// Imports inside a layer: (from, to).
const SIDEWAYS: &[(&str, &str)] = &[
    ("epoch", "tree"),
    ("debconf", "tree"),
    ("tree", "digest"),
    ("dpkg", "deb"),
    ("dpkg", "tree"),
    ("manifest", "deb"),
    ("manifest", "tree"),
    ("lock", "deb"),
    ("lock", "manifest"),
    ("shell", "cpio"),
    ("shell", "elf"),
    ("shell", "ldcache"),
    ("shell", "kmod"),
    ("shell", "x509"),
    ("shell", "catalog"),
    ("shell", "glib"),
    ("icon_cache", "glib"),
    ("mime", "glib"),
    ("shell", "icon_cache"),
    ("shell", "info_dir"),
    ("shell", "x11_fonts"),
    ("shell", "hwdb"),
    ("shell", "mime"),
    ("shell", "selinux"),
    ("fetch", "store"),
    ("fetch", "mirror"),
    ("fetch", "trust"),
    ("resolve", "mirror"),
    ("unpack", "store"),
    ("configure", "unpack"),
    ("configure", "store"),
    ("overlay", "configure"),
    ("review", "store"),
    ("image", "disk"),
    ("verify", "disk"),
    ("verify", "image"),
    ("verify", "store"),
];

/// Formats that must not know Debian packages.
const FORMATS: &[&str] = &[
    "ext4",
    "fat",
    "gpt",
    "verity",
    "cpio",
    "tar",
    "zst",
    "elf",
    "ldcache",
    "x509",
    "catalog",
    "hwdb",
    "glib",
    "mime",
    "icon_cache",
    "selinux",
];

const MAX_LINES: usize = 600;
const MAX_FUNCTION_LINES: usize = 70;

fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs_err::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with("corpus") {
                    todo.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The top module that a file under `src/` belongs to.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("a file under src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn imports_go_down() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    let mut faults = Vec::new();
    for path in sources(&root().join("src")) {
        let from = module(&path);
        let Some(&layer) = layers.get(from.as_str()) else {
            faults.push(format!("{}: module `{from}` has no layer in tests/tidy.rs", path.display()));
            continue;
        };
        let text = fs_err::read_to_string(&path).expect("readable");
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        for part in body.split("crate::").skip(1) {
            let to: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(&below) = layers.get(to.as_str()) else { continue };
            let allowed = to == from || below < layer || SIDEWAYS.contains(&(from.as_str(), to.as_str()));
            if !allowed || (FORMATS.contains(&from.as_str()) && (to == "deb" || to == "dpkg")) {
                faults.push(format!("{}: `{from}` (layer {layer}) imports `{to}` (layer {below})", path.display()));
            }
        }
    }
    report(&faults);
}

#[test]
fn files_are_small_and_say_what_they_are() {
    let mut faults = Vec::new();
    for path in sources(root()).into_iter().filter(|path| !path.starts_with(root().join("target"))) {
        let text = fs_err::read_to_string(&path).expect("readable");
        if !text.starts_with("//! ") && !text.starts_with("#![no_main]") {
            faults.push(format!("{}: the first line must be a `//!` sentence", path.display()));
        }
        let body = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().lines().count();
        if body > MAX_LINES {
            faults.push(format!("{}: {body} lines before the tests, at most {MAX_LINES}", path.display()));
        }
    }
    report(&faults);
}

/// Straight-line tables may be longer: a comment `// table: reason` stands on the line before the function.
#[test]
fn functions_are_short() {
    let mut faults = Vec::new();
    for path in sources(&root().join("src")) {
        let text = fs_err::read_to_string(&path).expect("readable");
        let lines: Vec<_> = text.lines().collect();
        let mut open: Option<(usize, String, bool)> = None;
        for (index, line) in lines.iter().enumerate() {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            match &open {
                Some((start, closing, exempt)) if *line == closing => {
                    if index - start >= MAX_FUNCTION_LINES && !exempt {
                        let length = index - start + 1;
                        faults.push(format!(
                            "{}:{}: a function of {length} lines, at most {MAX_FUNCTION_LINES}",
                            path.display(),
                            start + 1
                        ));
                    }
                    open = None;
                }
                None if line.contains("fn ") && line.ends_with('{') && !line.trim_start().starts_with("//") => {
                    let exempt = index > 0 && lines[index - 1].trim_start().starts_with("// table: ");
                    open = Some((index, format!("{indent}}}"), exempt));
                }
                _ => {}
            }
        }
    }
    report(&faults);
}

#[test]
fn only_cli_prints_and_starts_processes() {
    let mut faults = Vec::new();
    for path in sources(&root().join("src")).into_iter().filter(|path| !matches!(module(path).as_str(), "cli" | "main"))
    {
        let text = fs_err::read_to_string(&path).expect("readable");
        for word in ["println!", "eprintln!", "process::Command", "dbg!", "todo!", "unimplemented!"] {
            if text.contains(word) {
                faults.push(format!("{}: `{word}`", path.display()));
            }
        }
    }
    report(&faults);
}
