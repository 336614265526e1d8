//! Which mirrors an archive is read from: those of the command line, else of the user's configuration, else of the host's apt.
//!
//! The repository names no mirror. What a mirror serves is checked by signature and digest, so that any will do.

mod apt;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub use self::apt::{AptSource, AptSources};
use crate::manifest::{
    ManifestError,
    base::{Archive, Origin, PoolMirror},
    uri::{BadUri, Uri},
};

/// The root of an archive somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    pub root: Uri,
    /// A snapshot service, whose requests are paced.
    pub is_snapshot: bool,
}

/// Where an archive's parts are read, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    pub dists: Vec<Mirror>,
    pub pool: Vec<Mirror>,
}

/// One `--mirror`: a URI for every archive that the host is to name mirrors of, or `ARCHIVE=URI` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    archive: Option<String>,
    root: Uri,
}

/// The user's configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Roots by archive, as `[[archive]] name` in base.toml has it.
    #[serde(default)]
    mirrors: BTreeMap<String, Vec<Uri>>,
}

/// All that is known about mirrors outside of the repository.
#[derive(Clone, Debug)]
pub struct Known {
    pub arguments: Vec<Argument>,
    pub config: Config,
    /// Where the configuration is, or would be: for the message that nothing was found.
    pub config_file: PathBuf,
    pub apt: AptSources,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no mirror of archive `{archive}` is known: {}", why.join("; "))]
    NoMirror { archive: String, why: Vec<String>, config_file: PathBuf },
}

impl Error {
    pub fn hint(&self) -> String {
        let Self::NoMirror { archive, config_file, .. } = self;
        format!(
            "write `{archive} = [\"URI\"]` below a line `[mirrors]` in {}, or give `--mirror URI`",
            config_file.display()
        )
    }
}

impl std::str::FromStr for Argument {
    type Err = BadUri;

    fn from_str(text: &str) -> Result<Self, BadUri> {
        match text.split_once('=') {
            Some((archive, uri)) if !archive.contains([':', '/']) => {
                Ok(Self { archive: Some(archive.to_owned()), root: Uri::parse(uri)? })
            }
            _ => Ok(Self { archive: None, root: Uri::parse(text)? }),
        }
    }
}

impl Config {
    pub fn parse(file: &str, text: &str) -> Result<Self, ManifestError> {
        crate::manifest::read(file, text)
    }
}

impl Known {
    /// Reads the configuration file, if there is one, and the host's apt sources below `etc_apt`.
    pub fn read(arguments: Vec<Argument>, config_file: &Path, etc_apt: &Path) -> Result<Self, ReadError> {
        let config = match fs_err::read_to_string(config_file) {
            Ok(text) => Config::parse(&config_file.display().to_string(), &text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Config::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { arguments, config, config_file: config_file.to_path_buf(), apt: AptSources::read(etc_apt)? })
    }

    /// Where `archive` is read.
    pub fn mirrors(&self, archive: &Archive) -> Result<Mirrors, Error> {
        let live = |root: &Uri| Mirror { root: root.clone(), is_snapshot: false };
        let dists: Vec<_> = match &archive.origin {
            Origin::Host => self.of_host(archive)?.iter().map(live).collect(),
            Origin::Mirrors(roots) => roots.iter().map(live).collect(),
            Origin::Snapshot { root, .. } => vec![Mirror { root: root.clone(), is_snapshot: true }],
        };
        let mut pool: Vec<Mirror> = Vec::new();
        for mirror in &archive.pool {
            match mirror {
                // The origin has the packages too, so it is no fault when the host knows no mirror.
                PoolMirror::Host => pool.extend(self.of_host(archive).unwrap_or_default().iter().map(live)),
                PoolMirror::Mirror(root) => pool.push(live(root)),
            }
        }
        for mirror in &dists {
            if !pool.contains(mirror) {
                pool.push(mirror.clone());
            }
        }
        Ok(Mirrors { dists, pool })
    }

    fn of_host(&self, archive: &Archive) -> Result<Vec<Uri>, Error> {
        let given = self.arguments.iter().filter(|argument| match &argument.archive {
            Some(name) => name == archive.plain_name(),
            None => true,
        });
        let given: Vec<_> = given.map(|argument| argument.root.clone()).collect();
        if !given.is_empty() {
            return Ok(given);
        }
        if let Some(roots) = self.config.mirrors.get(archive.plain_name()).filter(|roots| !roots.is_empty()) {
            return Ok(roots.clone());
        }
        let roots = self.apt.matching(archive);
        if !roots.is_empty() {
            return Ok(roots);
        }
        let mut why = vec![format!(
            "the host's apt sources have none with suite {} and component {}",
            archive.suites.first().map_or("", String::as_str),
            archive.components.join(" or ")
        )];
        why.extend(self.apt.unusable.iter().cloned());
        Err(Error::NoMirror { archive: archive.name.clone(), why, config_file: self.config_file.clone() })
    }
}

/// Why the host's files about mirrors could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Config(#[from] ManifestError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl ReadError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint().map(str::to_owned),
            Self::Io(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::base::Base;

    const LINES: &str = "deb http://one.example.org/debian bookworm main\n";

    fn known(arguments: &[&str], config: &str, lines: &str) -> Known {
        Known {
            arguments: arguments.iter().map(|text| text.parse().expect("a mirror")).collect(),
            config: Config::parse("config.toml", config).expect("a configuration"),
            config_file: "/home/me/config.toml".into(),
            apt: AptSources::parse(&[("sources.list", lines)]),
        }
    }

    fn archive(name: &str, origin: &str) -> Archive {
        let text = format!(
            "name = \"b\"\narchitecture = \"amd64\"\ntimestamp = \"20250804T000000Z\"\n\
             [[archive]]\nname = \"debian\"\n{origin}\nsuites = [\"bookworm\"]\ncomponents = [\"main\"]\n\
             keys = [{{ fingerprint = \"F6ECB3762474EDA9D21B7022871920D1991BC93C\", file = \"u.asc\" }}]\n\
             [[archive]]\nname = \"other\"\nsnapshot = \"http://s/@TIMESTAMP@\"\npool = [\"host\"]\n\
             suites = [\"bookworm\"]\ncomponents = [\"main\"]\n\
             keys = [{{ fingerprint = \"F6ECB3762474EDA9D21B7022871920D1991BC93C\", file = \"u.asc\" }}]\n"
        );
        let base = Base::parse("base.toml", "b", &text).expect("a base");
        base.archive(name).expect("it is there").clone()
    }

    #[test]
    fn the_nearest_to_the_user_wins() {
        let config = "[mirrors]\ndebian = [\"http://two.example.org/debian\", \"file:/srv/debian\"]\n";
        let check = |known: &Known, origin: &str, expect: &[&str]| {
            let mirrors = known.mirrors(&archive("debian", origin)).expect("mirrors");
            assert_eq!(mirrors.pool, mirrors.dists);
            let roots: Vec<_> = mirrors.dists.iter().map(|mirror| mirror.root.to_string()).collect();
            assert_eq!(roots, expect);
        };
        let host = "mirror = \"host\"";
        check(&known(&[], "", LINES), host, &["http://one.example.org/debian"]);
        check(&known(&[], config, LINES), host, &["http://two.example.org/debian", "file:/srv/debian"]);
        check(&known(&["http://three/a=b"], config, LINES), host, &["http://three/a=b"]);
        let named = ["security=http://four", "debian=http://five", "http://six"];
        check(&known(&named, config, LINES), host, &["http://five", "http://six"]);
        check(&known(&["http://three"], config, LINES), "mirrors = [\"http://seven\"]", &["http://seven"]);
    }

    #[test]
    fn snapshots_take_packages_from_the_host_first() {
        let snapshot = archive("other", "mirror = \"host\"");
        let other = known(&[], "", LINES).mirrors(&snapshot).expect("mirrors");
        assert_eq!(other.dists.len(), 1);
        assert!(other.dists[0].is_snapshot);
        assert_eq!(other.dists[0].root.to_string(), "http://s/20250804T000000Z");
        let roots: Vec<_> = other.pool.iter().map(|mirror| mirror.root.to_string()).collect();
        assert_eq!(roots, ["http://one.example.org/debian", "http://s/20250804T000000Z"]);
        let alone = known(&[], "", "").mirrors(&snapshot).expect("the origin suffices");
        assert_eq!(alone.pool, alone.dists);
    }

    #[test]
    fn says_what_to_write_where() {
        let error = known(&[], "", "deb cdrom:[x]/ bookworm main\n").mirrors(&archive("debian", "mirror = \"host\""));
        let error = error.expect_err("no mirror");
        assert_eq!(
            error.to_string(),
            "no mirror of archive `debian` is known: the host's apt sources have none with suite bookworm and component \
             main; sources.list:1: scheme `cdrom` is not one of http, https, file, copy"
        );
        assert_eq!(
            error.hint(),
            "write `debian = [\"URI\"]` below a line `[mirrors]` in /home/me/config.toml, or give `--mirror URI`"
        );
        let error = Config::parse("config.toml", "[mirors]\n").expect_err("an unknown key");
        assert_eq!(error.hint(), Some("did you mean `mirrors`?"));
    }
}
