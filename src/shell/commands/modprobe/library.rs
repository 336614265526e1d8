//! A kernel's modules as its indexes and the configuration tell them: names, files, aliases, what needs what.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    kmod,
    shell::{Fatal, Process, files::join, pattern, text::lines},
};

/// Paths of the modules that one needs.
type Needs = Vec<Vec<u8>>;

const CONFIGURATION: [&[u8]; 4] =
    [b"/etc/modprobe.d", b"/run/modprobe.d", b"/usr/local/lib/modprobe.d", b"/lib/modprobe.d"];

/// Files of indexes; those from the fourth on hold lines as the configuration does.
const INDEXES: [&[u8]; 6] = [
    b"modules.dep",
    b"modules.builtin",
    b"modules.builtin.modinfo",
    b"modules.alias",
    b"modules.symbols",
    b"modules.softdep",
];

/// The lists hold a name or pattern each, and the rest of the line.
#[derive(Debug, Default)]
pub(in crate::shell) struct Library {
    /// What was read: indexes, then the configuration.
    texts: Vec<Bytes>,
    /// The folder of modules, from the root.
    pub folder: Vec<u8>,
    /// Paths below the folder, each with those of the modules that it needs, as `modules.dep` lists them.
    files: BTreeMap<Vec<u8>, (Vec<u8>, Needs)>,
    built_in: BTreeSet<Vec<u8>>,
    /// Keys and values of built-in modules.
    pub built_in_info: Vec<(Vec<u8>, Vec<u8>)>,
    configured_aliases: Vec<(Vec<u8>, Vec<u8>)>,
    aliases: Vec<(Vec<u8>, Vec<u8>)>,
    pub blacklist: BTreeSet<Vec<u8>>,
    options: Vec<(Vec<u8>, Vec<u8>)>,
    install: Vec<(Vec<u8>, Vec<u8>)>,
    soft: Vec<(Vec<u8>, Vec<u8>)>,
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// The first word and the rest.
fn cut(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    (&line[..end], line[end..].trim_ascii())
}

impl Library {
    /// The indexes of `release` below `root`, and the configuration, which is the system's whatever `root` is. They are read once
    /// as long as their files are the same: an initrd's hooks ask for hundreds of modules.
    pub(in crate::shell::commands) fn read(
        process: &mut Process<'_>,
        root: &[u8],
        release: &[u8],
    ) -> Result<Arc<Self>, Fatal> {
        let folder = join(&join(root, b"lib/modules"), release);
        let mut texts: Vec<Bytes> = Vec::new();
        for name in INDEXES {
            texts.push(process.read_file(&join(&folder, name)).unwrap_or_default());
        }
        texts.extend(configuration(process));
        if let Some(known) = process.machine.modules.as_ref().filter(|known| known.is_of(&folder, &texts)) {
            return Ok(known.clone());
        }
        let library = Arc::new(Self::parse(process, folder, texts)?);
        process.machine.modules = Some(library.clone());
        Ok(library)
    }

    /// Whether this was read from these very bytes.
    fn is_of(&self, folder: &[u8], texts: &[Bytes]) -> bool {
        let place = |text: &Bytes| (text.as_ptr(), text.len());
        self.folder == folder && self.texts.iter().map(place).eq(texts.iter().map(place))
    }

    fn parse(process: &Process<'_>, folder: Vec<u8>, texts: Vec<Bytes>) -> Result<Self, Fatal> {
        let mut library = Self { folder, ..Self::default() };
        let (indexes, configuration) = texts.split_at(INDEXES.len());
        let [dep, built_in, info, lists @ ..] = indexes else { unreachable!("one text for each index") };
        for line in lines(dep, b'\n') {
            let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
            let needs = words(&line[colon + 1..]).map(<[u8]>::to_vec).collect();
            library.files.insert(kmod::name(&line[..colon]), (line[..colon].to_vec(), needs));
        }
        library.built_in = lines(built_in, b'\n').map(kmod::name).collect();
        library.built_in_info = kmod::strings(info);
        for text in configuration {
            library.configure(process, text)?;
        }
        library.configured_aliases = std::mem::take(&mut library.aliases);
        for text in lists {
            library.configure(process, text)?;
        }
        library.texts = texts;
        Ok(library)
    }

    /// Takes the lines of one file; a backslash at a line's end joins it with the next.
    fn configure(&mut self, process: &Process<'_>, text: &[u8]) -> Result<(), Fatal> {
        let joined = unfold(text);
        for line in lines(&joined, b'\n') {
            let (word, rest) = cut(line);
            let (first, value) = cut(rest);
            let name = || kmod::normal_alias(first);
            let list = match word {
                b"" => continue,
                _ if word.starts_with(b"#") => continue,
                b"blacklist" => {
                    self.blacklist.extend(name());
                    continue;
                }
                b"alias" => &mut self.aliases,
                b"options" => &mut self.options,
                b"install" => &mut self.install,
                b"softdep" => &mut self.soft,
                b"remove" => continue,
                other => return Err(process.not_modelled(format!("configuration `{}`", other.escape_ascii()))),
            };
            list.extend(name().map(|name| (name, value.to_vec())));
        }
        Ok(())
    }

    /// Modules of this name or alias, and whether an alias led there.
    pub(in crate::shell::commands) fn find(&self, query: &[u8]) -> (Vec<Vec<u8>>, bool) {
        let Some(query) = kmod::normal_alias(query) else { return (Vec::new(), false) };
        let matching = |aliases: &[(Vec<u8>, Vec<u8>)]| -> Vec<Vec<u8>> {
            let found = aliases.iter().filter(|(alias, _)| pattern::matches(alias, &query));
            found.map(|(_, target)| kmod::name(target)).collect()
        };
        let configured = matching(&self.configured_aliases);
        if !configured.is_empty() {
            return (configured, true);
        }
        let installed = self.install.iter().any(|(name, _)| *name == query);
        if self.files.contains_key(&query) || installed {
            return (vec![query], false);
        }
        let known = matching(&self.aliases);
        if !known.is_empty() {
            return (known, true);
        }
        if self.built_in.contains(&query) {
            return (vec![query], false);
        }
        let built_in = self.built_in_info.iter().filter_map(|(key, value)| {
            let module = key.strip_suffix(b".alias")?;
            pattern::matches(&kmod::normal_alias(value)?, &query).then(|| module.to_vec())
        });
        (built_in.collect(), true)
    }

    pub(in crate::shell::commands) fn is_built_in(&self, name: &[u8]) -> bool {
        self.built_in.contains(name)
    }

    /// A module's file, from the root.
    pub(in crate::shell::commands) fn file(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.files.get(name).map(|(path, _)| join(&self.folder, path))
    }

    /// Modules that a module needs, the one to be loaded first at the beginning.
    pub(super) fn needs(&self, name: &[u8]) -> Vec<Vec<u8>> {
        let needs = self.files.get(name).map_or(&[][..], |(_, needs)| needs);
        needs.iter().rev().map(|path| kmod::name(path)).collect()
    }

    /// Modules to be loaded before and after one, by its first line of soft dependencies.
    pub(super) fn soft(&self, name: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let line = self.soft.iter().find(|(known, _)| pattern::matches(known, name));
        let mut list = None;
        for word in line.map(|(_, line)| words(line)).into_iter().flatten() {
            match word {
                b"pre:" => list = Some(&mut before),
                b"post:" => list = Some(&mut after),
                other => {
                    if let Some(list) = &mut list {
                        list.extend(self.find(other).0);
                    }
                }
            }
        }
        (before, after)
    }

    /// All options for a module, in the order of the configuration.
    pub(super) fn options(&self, name: &[u8]) -> Vec<u8> {
        let found: Vec<&[u8]> =
            self.options.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_slice()).collect();
        found.join(&b' ')
    }

    /// The command that stands for loading a module.
    pub(super) fn command(&self, name: &[u8]) -> Option<&[u8]> {
        self.install.iter().find(|(known, _)| pattern::matches(known, name)).map(|(_, command)| command.as_slice())
    }
}

/// Lines that end in a backslash joined with the next.
fn unfold(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().peekable();
    while let Some(&byte) = rest.next() {
        if byte == b'\\' && rest.peek() == Some(&&b'\n') {
            rest.next();
        } else {
            out.push(byte);
        }
    }
    out
}

/// The configuration's files in the order of their names; one in an earlier folder hides those of its name in later ones.
fn configuration(process: &mut Process<'_>) -> Vec<Bytes> {
    let mut files = BTreeMap::new();
    for folder in CONFIGURATION {
        let Ok(id) = process.lookup(folder) else { continue };
        for name in process.inode(id).entries().into_iter().flatten().map(|(name, _)| name.as_bytes()) {
            if name.ends_with(b".conf") {
                files.entry(name.to_vec()).or_insert_with(|| join(folder, name));
            }
        }
    }
    files.values().map(|path| process.read_file(path).unwrap_or_default()).collect()
}
