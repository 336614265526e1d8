//! What modules say of themselves when GLib's programs load them. A module's code can't be run here: what each says is a table by
//! the name of its file, in the form of the caches, taken from Debian 12; a module that isn't in the table is an error.

use crate::shell::{Fatal, Process, Status, dpkg, files::base_name, files::join, files::names, options};

/// Extension points of GIO's modules.
const GIO: &[(&str, &str)] = &[
    ("libdconfsettings.so", "gsettings-backend"),
    ("libgiognomeproxy.so", "gio-proxy-resolver"),
    ("libgiognutls.so", "gio-tls-backend"),
    ("libgiolibproxy.so", "gio-proxy-resolver"),
    ("libgioremote-volume-monitor.so", "gio-native-volume-monitor,gio-volume-monitor"),
    ("libgvfsdbus.so", "gio-vfs,gio-volume-monitor"),
];
const LOADERS: &str = include_str!("module_tables/gdk-pixbuf-loaders.txt");

/// A version of GTK and its input methods.
struct Gtk {
    program: &'static str,
    package: &'static str,
    /// Below the folder of libraries.
    modules: &'static str,
    /// Of the interface of modules.
    version: &'static str,
    /// What GTK calls the machine that it is built for.
    host: &'static str,
    /// Whether users have modules of their own.
    home: bool,
    table: &'static str,
}

const GTK_2: Gtk = Gtk {
    program: "libgtk2.0-0/gtk-query-immodules-2.0",
    package: "libgtk2.0-0",
    modules: "gtk-2.0",
    version: "2.10.0",
    host: "x86_64-pc-linux-gnu",
    home: true,
    table: include_str!("module_tables/gtk-2-immodules.txt"),
};
const GTK_3: Gtk = Gtk {
    program: "libgtk-3-0/gtk-query-immodules-3.0",
    package: "libgtk-3-0",
    modules: "gtk-3.0",
    version: "3.0.0",
    host: "linux",
    home: false,
    table: include_str!("module_tables/gtk-3-immodules.txt"),
};

/// gio-querymodules: the extension points of the modules in folders.
pub(super) fn gio(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &[])?;
    if arguments.operands.is_empty() {
        return Err(process.not_modelled("no folder"));
    }
    for folder in &arguments.operands {
        let Some(names) = names(process, folder) else {
            let folder = folder.escape_ascii();
            let why = "No such file or directory";
            let line =
                format!("Unable to open directory {folder}: Error opening directory \u{201c}{folder}\u{201d}: {why}\n");
            process.write(2, line.as_bytes())?;
            continue;
        };
        let mut text = String::new();
        for module in names.iter().filter(|name| name.starts_with(b"lib") && name.ends_with(b".so")) {
            let known = GIO.iter().find(|(name, _)| name.as_bytes() == module);
            let (name, points) = known.ok_or_else(|| unknown(process, module))?;
            text.push_str(&format!("{name}: {points}\n"));
        }
        let cache = join(folder, b"giomodule.cache");
        if text.is_empty() {
            let cache = process.absolute(&cache);
            let _ = process.machine.tree.unlink(&cache);
        } else {
            super::glib::replace(process, &cache, text.into_bytes())?;
        }
    }
    Ok(Status::SUCCESS)
}

/// gdk-pixbuf-query-loaders: which kinds of images the modules in its arguments load.
pub(super) fn loaders(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &[])?;
    let version = dpkg::upstream_version(process, "libgdk-pixbuf-2.0-0")?;
    let version = version.split('+').next().unwrap_or_default();
    let mut text = format!(
        "# GdkPixbuf Image Loader Modules file\n# Automatically generated file, do not edit\n\
         # Created by gdk-pixbuf-query-loaders from gdk-pixbuf-{version}\n#\n"
    )
    .into_bytes();
    if arguments.operands.is_empty() {
        return Err(process.not_modelled("no module"));
    }
    for module in &arguments.operands {
        if !module.starts_with(b"/") {
            return Err(process.not_modelled("a module that is no absolute path"));
        }
        let said = lookup(LOADERS, module).ok_or_else(|| unknown(process, module))?;
        text.extend([b"\"", module.as_slice(), b"\"\n", said.as_bytes(), b"\n"].concat());
    }
    text.push(b'\n');
    process.out(&text)?;
    Ok(Status::SUCCESS)
}

/// gtk-query-immodules-2.0.
pub(super) fn input_methods_2(process: &mut Process<'_>) -> Result<Status, Fatal> {
    input_methods(process, &GTK_2)
}

/// gtk-query-immodules-3.0.
pub(super) fn input_methods_3(process: &mut Process<'_>) -> Result<Status, Fatal> {
    input_methods(process, &GTK_3)
}

/// Which input methods the modules in GTK's folders are.
fn input_methods(process: &mut Process<'_>, gtk: &Gtk) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["update-cache"])?;
    if !arguments.has("update-cache") || !arguments.operands.is_empty() {
        return Err(process.not_modelled("anything but --update-cache"));
    }
    let program = process.argv.first().cloned().unwrap_or_default();
    let library = program.strip_suffix(gtk.program.as_bytes()).and_then(|folder| folder.strip_suffix(b"/"));
    let library = library.filter(|library| *library == b"/usr/lib/x86_64-linux-gnu");
    let Some(library) = library else { return Err(process.not_modelled("a program at another place")) };
    let version = dpkg::upstream_version(process, gtk.package)?;
    let mut tops = vec![join(library, gtk.modules.as_bytes())];
    if gtk.home {
        let home = process.variable("HOME").unwrap_or(b"/root");
        tops.insert(0, join(home, format!(".{}", gtk.modules).as_bytes()));
        tops.push(join(b"/usr/lib", gtk.modules.as_bytes()));
    }
    let below = |top: &Vec<u8>| {
        let Gtk { version, host, .. } = gtk;
        [format!("{version}/{host}/"), format!("{version}/"), format!("{host}/"), String::new()]
            .map(|folder| join(top, format!("{folder}immodules").as_bytes()))
    };
    let folders: Vec<Vec<u8>> = tops.iter().flat_map(below).collect();
    let mut text = b"# GTK+ Input Method Modules file\n# Automatically generated file, do not edit\n".to_vec();
    text.extend([b"# Created by ", program.as_slice(), b" from gtk+-", version.as_bytes(), b"\n#\n"].concat());
    text.extend([b"# ModulesPath = ", folders.join(b":".as_slice()).as_slice(), b"\n#\n"].concat());
    for folder in &folders {
        for name in names(process, folder).unwrap_or_default().iter().filter(|name| name.ends_with(b".so")) {
            let said = lookup(gtk.table, name).ok_or_else(|| unknown(process, name))?;
            text.extend([b"\"", join(folder, name).as_slice(), b"\" \n", said.as_bytes(), b"\n"].concat());
        }
    }
    let cache = format!("{}/{}/immodules.cache", gtk.modules, gtk.version);
    super::glib::replace(process, &join(library, cache.as_bytes()), text)?;
    Ok(Status::SUCCESS)
}

fn unknown(process: &Process<'_>, module: &[u8]) -> Fatal {
    let module = module.escape_ascii();
    process.not_modelled(format!("the module `{module}`, which only its own code can describe,"))
}

/// What a table has for a module: the lines behind its name's, up to an empty one.
fn lookup(table: &'static str, module: &[u8]) -> Option<&'static str> {
    let name = format!("\"{}\"\n", base_name(module).escape_ascii());
    let start = match table.starts_with(&name) {
        true => name.len(),
        false => table.find(&format!("\n\n{name}"))? + 2 + name.len(),
    };
    let said = &table[start..];
    said.find("\n\n").map(|end| &said[..=end])
}
