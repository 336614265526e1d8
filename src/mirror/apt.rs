//! The host's apt sources, sources.list(5): one-line and deb822 files to the roots they name. They are read, never trusted.

use std::{io, path::Path};

use crate::{
    deb::control::{self, Comments},
    manifest::{base::Archive, uri::Uri},
};

/// One root of an archive with packages, as an enabled entry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AptSource {
    pub root: Uri,
    pub suite: String,
    pub components: Vec<String>,
}

/// All entries of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AptSources {
    pub sources: Vec<AptSource>,
    /// Entries that can't be used, with the reason: they matter only when nothing else is found.
    pub unusable: Vec<String>,
}

impl AptSources {
    /// Reads `sources.list` and `sources.list.d/*.{list,sources}` below `etc_apt`, in apt's order.
    pub fn read(etc_apt: &Path) -> io::Result<Self> {
        let mut paths = vec![etc_apt.join("sources.list")];
        match fs_err::read_dir(etc_apt.join("sources.list.d")) {
            Ok(entries) => {
                let more = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
                let is_ours =
                    |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "list" || end == "sources");
                paths.extend(more.into_iter().filter(is_ours));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        paths[1..].sort();
        let mut texts = Vec::new();
        for path in paths {
            match fs_err::read(&path) {
                Ok(bytes) => texts.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let texts: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Ok(Self::parse(&texts))
    }

    /// Reads the texts of files with their names.
    pub fn parse(files: &[(&str, &str)]) -> Self {
        let mut all = Self::default();
        for (name, text) in files {
            if name.ends_with(".sources") {
                all.paragraphs(name, text);
            } else {
                for (index, line) in text.lines().enumerate() {
                    all.line(line, &format!("{name}:{}", index + 1));
                }
            }
        }
        all
    }

    /// Roots of entries with the archive's first suite and one of its components, each once.
    pub fn matching(&self, archive: &Archive) -> Vec<Uri> {
        let mut roots = Vec::new();
        for source in &self.sources {
            let fits = archive.suites.first() == Some(&source.suite)
                && source.components.iter().any(|component| archive.components.contains(component));
            if fits && !roots.contains(&source.root) {
                roots.push(source.root.clone());
            }
        }
        roots
    }

    /// `deb [option=value …] uri suite component…`
    fn line(&mut self, line: &str, place: &str) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t'])) else { return };
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix('[').map(|options| options.split_once(']')) {
            Some(Some((_, rest))) => rest,
            Some(None) => return self.unusable.push(format!("{place}: `[` without `]`")),
            None => rest,
        };
        let words: Vec<_> = rest.split_ascii_whitespace().collect();
        match words.as_slice() {
            [uri, suite, components @ ..] => self.add(place, uri, suite, components),
            _ => self.unusable.push(format!("{place}: expected a URI, a suite and components")),
        }
    }

    fn paragraphs(&mut self, name: &str, text: &str) {
        for paragraph in control::paragraphs(text.as_bytes(), Comments::Allow) {
            let paragraph = match paragraph {
                Ok(paragraph) => paragraph,
                Err(error) => return self.unusable.push(format!("{name}: {error}")),
            };
            let place = format!("{name}:{}", paragraph.fields.first().map_or(0, |field| field.line));
            let words = |field: &str| -> Vec<String> {
                let lines = paragraph.field(field).into_iter().flat_map(control::Field::lines);
                let words = lines.flat_map(|line| line.split(u8::is_ascii_whitespace));
                words.filter(|word| !word.is_empty()).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
            };
            let is_off = words("Enabled").iter().any(|word| matches!(word.as_str(), "no" | "false" | "off" | "0"));
            if is_off || !words("Types").iter().any(|word| word == "deb") {
                continue;
            }
            let components = words("Components");
            let components: Vec<_> = components.iter().map(String::as_str).collect();
            for uri in words("URIs") {
                for suite in words("Suites") {
                    self.add(&place, &uri, &suite, &components);
                }
            }
        }
    }

    fn add(&mut self, place: &str, uri: &str, suite: &str, components: &[&str]) {
        match Uri::parse(uri) {
            Ok(root) => {
                let components = components.iter().map(|&component| component.to_owned()).collect();
                self.sources.push(AptSource { root, suite: suite.to_owned(), components });
            }
            Err(error) => self.unusable.push(format!("{place}: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(files: &[(&str, &str)]) -> Vec<String> {
        let all = AptSources::parse(files);
        let sources = all.sources.iter();
        let sources = sources.map(|source| format!("{} {} {}", source.root, source.suite, source.components.join(" ")));
        sources.chain(all.unusable.iter().map(|text| format!("! {text}"))).collect()
    }

    #[test]
    fn one_line_files() {
        let text = "# deb http://no main\n\ndeb http://a/debian/ bookworm main contrib # more\n\
                    deb\t[ arch=amd64 signed-by=/x.gpg ] https://b/debian bookworm main\n\
                    deb-src http://a/debian bookworm main\ndeb [trusted=yes file:/x y z\n\
                    deb mirror+file:/etc/list bookworm main\ndeb copy:/srv/x ./\ndeb http://a\n";
        let expect = [
            "http://a/debian bookworm main contrib",
            "https://b/debian bookworm main",
            "file:/srv/x ./ ",
            "! x.list:6: `[` without `]`",
            "! x.list:7: scheme `mirror+file` is not one of http, https, file, copy",
            "! x.list:9: expected a URI, a suite and components",
        ];
        assert_eq!(show(&[("x.list", text)]), expect);
    }

    #[test]
    fn deb822_files() {
        let text = "Types: deb deb-src\n# http://old\nURIs: http://a/debian\n http://b/debian\nSuites: x x-updates\n\
                    Components: main\nSigned-By: /x.gpg\n\nTypes: deb\nURIs: http://c\nSuites: x\nComponents: main\n\
                    Enabled: no\n\nTypes: deb-src\nURIs: http://d\nSuites: x\nComponents: main\n\n\
                    Types: deb\nURIs: cdrom:[d]/\nSuites: x\nComponents: main\n\nTypes: deb\nTypes: deb\n";
        let expect = [
            "http://a/debian x main",
            "http://a/debian x-updates main",
            "http://b/debian x main",
            "http://b/debian x-updates main",
            "! x.sources:20: scheme `cdrom` is not one of http, https, file, copy",
            "! x.sources: line 26: field `Types` is given twice, first on line 25",
        ];
        assert_eq!(show(&[("x.sources", text)]), expect);
    }

    #[test]
    fn files_are_read_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(AptSources::read(folder.path()).expect("nothing there"), AptSources::default());
        let parts = folder.path().join("sources.list.d");
        fs_err::create_dir_all(&parts).expect("writable");
        for (name, text) in [
            ("sources.list", "deb http://first x main\n"),
            ("sources.list.d/b.list", "deb http://third x main\n"),
            ("sources.list.d/a.sources", "Types: deb\nURIs: http://second\nSuites: x\nComponents: main\n"),
            ("sources.list.d/c.save", "deb http://never x main\n"),
        ] {
            fs_err::write(folder.path().join(name), text).expect("writable");
        }
        let sources = AptSources::read(folder.path()).expect("readable").sources;
        let roots: Vec<_> = sources.iter().map(|source| source.root.to_string()).collect();
        assert_eq!(roots, ["http://first", "http://second", "http://third"]);
    }
}
