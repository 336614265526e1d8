//! A checkout with `ic-os/`, `snapshots/`, `overlays/` and `bootloader/`: where its files are and which targets it defines.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{ManifestError, image::Image};
use crate::nearest::nearest;

/// `<os>/<variant>`, for example `guestos/dev`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub os: String,
    pub variant: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a target such as `guestos/dev`, found `{0}`")]
pub struct BadTarget(String);

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let good = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match text.split_once('/') {
            Some((os, variant)) if good(os) && good(variant) => {
                Ok(Self { os: os.to_owned(), variant: variant.to_owned() })
            }
            _ => Err(BadTarget(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.variant)
    }
}

/// The folder that holds the definitions.
#[derive(Clone, Debug)]
pub struct Project {
    pub root: PathBuf,
    /// A base whose definition is to be taken as this text, whatever its file says.
    moved: Option<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("{} and the folders above it have no `ic-os` and `snapshots`", .0.display())]
    NoProject(PathBuf),
    #[error("unknown target `{target}`")]
    UnknownTarget { target: String, nearest: Vec<String> },
    #[error("`{os}` is an operating system; a target names a variant of it, too")]
    NoVariant { os: String, targets: Vec<String> },
    #[error(transparent)]
    Target(#[from] BadTarget),
    #[error("unknown base `{base}`")]
    UnknownBase { base: String, known: Vec<String> },
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl ProjectError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoProject(_) => Some("run icos inside a checkout, or name one with `--project DIR`".to_owned()),
            Self::UnknownTarget { nearest, .. } if !nearest.is_empty() => {
                Some(format!("did you mean `{}`?", nearest.join("` or `")))
            }
            Self::NoVariant { targets, .. } => Some(format!("its targets are `{}`", targets.join("`, `"))),
            Self::UnknownBase { known, .. } => Some(format!("the bases are `{}`", known.join("`, `"))),
            Self::Manifest(error) => error.hint().map(str::to_owned),
            _ => None,
        }
    }
}

impl Project {
    /// The nearest folder from `start` upwards that is a project.
    pub fn find(start: &Path) -> Result<Self, ProjectError> {
        let is_project = |folder: &&Path| folder.join("ic-os").is_dir() && folder.join("snapshots").is_dir();
        let root = start.ancestors().find(is_project).ok_or_else(|| ProjectError::NoProject(start.to_path_buf()))?;
        Ok(Self::at(root.to_path_buf()))
    }

    /// The project of a folder that has not all of its files yet.
    pub fn at(root: PathBuf) -> Self {
        Self { root, moved: None }
    }

    /// Every target that the images define, sorted.
    pub fn targets(&self) -> Result<Vec<Target>, ProjectError> {
        let mut targets = Vec::new();
        for os in folders(&self.root.join("ic-os"))? {
            let (image, _) = self.image(&os)?;
            targets.extend(image.variants.into_keys().map(|variant| Target { os: os.clone(), variant }));
        }
        targets.sort();
        Ok(targets)
    }

    /// Every base, sorted.
    pub fn bases(&self) -> Result<Vec<String>, ProjectError> {
        let all = folders(&self.root.join("snapshots"))?;
        Ok(all.into_iter().filter(|name| self.base_file(name).is_file()).collect())
    }

    /// An image's definition and the text it was read from.
    pub fn image(&self, os: &str) -> Result<(Image, String), ProjectError> {
        let file = self.root.join("ic-os").join(os).join("image.toml");
        let text = fs_err::read_to_string(&file)?;
        Ok((Image::parse(&self.relative(&file), os, &text)?, text))
    }

    /// The target of a name as it was typed, which must be one of the project's.
    pub fn target(&self, text: &str) -> Result<Target, ProjectError> {
        match text.parse() {
            Ok(target) => self.check(&target).map(|()| target),
            Err(bad) => {
                let os = text.trim_end_matches('/');
                let targets = self.targets()?.into_iter().filter(|target| target.os == os);
                let targets: Vec<String> = targets.map(|target| target.to_string()).collect();
                if targets.is_empty() {
                    Err(bad.into())
                } else {
                    Err(ProjectError::NoVariant { os: os.to_owned(), targets })
                }
            }
        }
    }

    /// Checks that the target is one of the project's.
    pub fn check(&self, target: &Target) -> Result<(), ProjectError> {
        let all = self.targets()?;
        if all.contains(target) {
            return Ok(());
        }
        let (target, all) = (target.to_string(), all.iter().map(Target::to_string).collect::<Vec<_>>());
        let close = nearest(&target, all.iter().map(String::as_str), 2).into_iter().map(str::to_owned).collect();
        Err(ProjectError::UnknownTarget { target, nearest: close })
    }

    /// The project as it would be if a base's definition were another text.
    pub fn with_base(&self, base: &str, text: &str) -> Self {
        Self { root: self.root.clone(), moved: Some((base.to_owned(), text.to_owned())) }
    }

    /// The text of a base's definition, with the file's name for errors.
    pub fn base(&self, base: &str) -> Result<(String, String), ProjectError> {
        let file = self.base_file(base);
        if let Some((_, text)) = self.moved.as_ref().filter(|(name, _)| name == base) {
            return Ok((self.relative(&file), text.clone()));
        }
        if !file.is_file() {
            return Err(ProjectError::UnknownBase { base: base.to_owned(), known: self.bases()? });
        }
        Ok((self.relative(&file), fs_err::read_to_string(&file)?))
    }

    pub fn base_file(&self, base: &str) -> PathBuf {
        self.root.join("snapshots").join(base).join("base.toml")
    }

    pub fn keys(&self) -> PathBuf {
        self.root.join("snapshots").join("keys")
    }

    pub fn lock_file(&self, base: &str, target: &Target) -> PathBuf {
        self.root.join("snapshots").join(base).join(format!("{}-{}.lock", target.os, target.variant))
    }

    pub fn overlay(&self, name: &str) -> PathBuf {
        self.root.join("overlays").join(name)
    }

    /// The folders of all overlays, sorted.
    pub fn overlays(&self) -> Result<Vec<PathBuf>, ProjectError> {
        let top = self.root.join("overlays");
        let names = if top.is_dir() { folders(&top)? } else { Vec::new() };
        Ok(names.iter().map(|name| top.join(name)).filter(|folder| folder.join("overlay.toml").is_file()).collect())
    }

    pub fn bootloader(&self) -> PathBuf {
        self.root.join("bootloader")
    }

    /// A file's name as errors show it: below the project.
    pub fn relative(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }
}

fn folders(parent: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(parent)? {
        let entry = entry?;
        if entry.path().is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_back() {
        assert_eq!("guestos/dev-sev".parse::<Target>().map(|t| t.to_string()), Ok("guestos/dev-sev".to_owned()));
        for bad in ["guestos", "guestos/", "/dev", "a/b/c", "../x", "A/b"] {
            assert_eq!(bad.parse::<Target>(), Err(BadTarget(bad.to_owned())));
        }
    }

    #[test]
    fn this_checkout_is_a_project() {
        let project = Project::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a project");
        let targets = project.targets().expect("every image.toml is valid");
        assert!(targets.iter().any(|target| target.to_string() == "guestos/dev"), "{targets:?}");
        let unknown = project.check(&"guestos/dve".parse().expect("well-formed")).expect_err("no such target");
        assert_eq!(unknown.hint().as_deref(), Some("did you mean `guestos/dev`?"));
        for text in ["guestos", "guestos/"] {
            let bare = project.target(text).expect_err("no variant");
            assert_eq!(bare.to_string(), "`guestos` is an operating system; a target names a variant of it, too");
            assert_eq!(bare.hint().as_deref(), Some("its targets are `guestos/dev`, `guestos/prod`"));
        }
        let other = project.target("others").expect_err("no target").to_string();
        assert_eq!(other, "expected a target such as `guestos/dev`, found `others`");
    }
}
