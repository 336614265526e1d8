//! Packages that are files of the user's: named by their paths, they need no archive.

use std::path::Path;

use super::{PipelineError, Result, Session};
use crate::{
    deb::{control, dependency::Architecture, dependency::PackageName, packages},
    digest::Sha256,
    manifest::base::Base,
    resolve::{
        request::{Choice, Root},
        universe::{Index, Origin},
    },
    unpack,
};

/// One .deb, put into the store, with the stanza that an index would have of it.
#[derive(Debug)]
pub(super) struct LocalDeb {
    path: String,
    stanza: Vec<u8>,
    root: Root,
}

/// Whether a request names a file.
pub(super) fn is_path(text: &str) -> bool {
    text.ends_with(".deb")
}

impl LocalDeb {
    /// The file `path` as seen from `folder`.
    pub(super) fn read(session: &Session<'_>, folder: &Path, path: &str) -> Result<Self> {
        let file = folder.join(path);
        let bytes = fs_err::read(&file)?;
        let sum = Sha256::of(&bytes);
        session.store.insert(&file, &sum)?;
        let unpacked = session.store.layers(&[sum], &|_| {});
        let layers = unpacked.map_err(|error| PipelineError::Package(path.to_owned(), Box::new(error)))?;
        let unfit = |why: String| PipelineError::Local { path: path.to_owned(), why };
        let text = layers.first().and_then(unpack::control_text).ok_or_else(|| unfit("no control file".to_owned()))?;
        let fields = control::paragraph(text, control::Comments::Refuse).map_err(|error| unfit(error.to_string()))?;
        let field = |name: &str| {
            let value = fields.get(name).and_then(|value| std::str::from_utf8(value).ok());
            value.ok_or_else(|| unfit(format!("its control file has no {name}")))
        };
        let name = PackageName::new(field("Package")?).map_err(|error| unfit(error.to_string()))?;
        let architecture = Architecture::new(field("Architecture")?).map_err(|error| unfit(error.to_string()))?;
        let root = Root {
            name,
            // A package for all architectures is one of the base's.
            architecture: Some(architecture).filter(|architecture| architecture.as_str() != "all"),
            choice: Choice::File(path.to_owned()),
        };
        let mut stanza = text.trim_ascii_end().to_vec();
        stanza.extend_from_slice(format!("\nFilename: {sum}.deb\nSize: {}\nSHA256: {sum}\n", bytes.len()).as_bytes());
        Ok(Self { path: path.to_owned(), stanza, root })
    }

    pub(super) fn stanza(&self) -> &[u8] {
        &self.stanza
    }

    pub(super) fn root(&self) -> Root {
        self.root.clone()
    }

    /// An index that holds nothing else.
    pub(super) fn index(&self, base: &Base) -> Result<Index<'_>> {
        let own = self.root.architecture.as_ref().map(Architecture::as_str);
        let is_foreign = |own: &&str| base.foreign.iter().any(|name| name == own);
        let architecture = own.filter(is_foreign).unwrap_or(&base.architecture);
        let stanzas = packages::parse(&self.stanza, architecture)
            .map_err(|source| PipelineError::Index { file: self.path.clone(), source })?;
        let origin = Origin {
            archive: String::new(),
            suite: String::new(),
            component: String::new(),
            path: self.path.clone(),
            names: Vec::new(),
            not_automatic: false,
            but_automatic_upgrades: false,
        };
        Ok(Index { origin, stanzas })
    }
}
