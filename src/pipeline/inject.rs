//! Files that enter a finished tree at the last moment: programs that another build made, so that no layer depends on them.

use std::{path::PathBuf, str::FromStr};

use super::{PipelineError, Result};
use crate::{
    digest::Sha256,
    epoch::Epoch,
    manifest::overlay::Mode,
    tree::{Content, Node, Stat, Tree},
};

/// A file of the host, where it goes, and its permissions; root's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inject {
    pub file: PathBuf,
    /// Absolute; folders above it are made.
    pub target: String,
    pub mode: Mode,
}

/// What was put in, for the report.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Injected {
    pub target: String,
    /// Octal.
    pub mode: String,
    pub bytes: u64,
    pub sha256: Sha256,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected FILE:TARGET:MODE such as `replica:/opt/ic/bin/replica:0755`, found `{0}`")]
pub struct BadInject(String);

impl FromStr for Inject {
    type Err = BadInject;

    fn from_str(text: &str) -> std::result::Result<Self, BadInject> {
        let bad = || BadInject(text.to_owned());
        let mut parts = text.rsplitn(3, ':');
        let (Some(mode), Some(target), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad());
        };
        let names = target.strip_prefix('/').ok_or_else(bad)?;
        if file.is_empty() || names.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(bad());
        }
        Ok(Self { file: file.into(), target: target.to_owned(), mode: mode.parse().map_err(|_| bad())? })
    }
}

/// A file that was read.
pub(super) struct Late {
    content: Content,
    report: Injected,
    mode: u16,
}

impl Late {
    pub(super) fn summary(&self) -> String {
        format!("{} {} {}", self.report.target, self.report.mode, self.report.sha256)
    }
}

pub(super) fn read(inject: &[Inject]) -> Result<Vec<Late>> {
    let mut late: Vec<Late> = Vec::new();
    for Inject { file, target, mode: Mode(mode) } in inject {
        if late.iter().any(|before| before.report.target == *target) {
            return Err(PipelineError::Inject { target: target.clone(), why: "it is named twice".to_owned() });
        }
        let bytes = fs_err::read(file).map_err(|error| PipelineError::Inject {
            target: target.clone(),
            why: format!("`--inject {}:{target}:{mode:04o}`: {error}", file.display()),
        })?;
        let report = Injected {
            target: target.clone(),
            mode: format!("{mode:04o}"),
            bytes: bytes.len() as u64,
            sha256: Sha256::of(&bytes),
        };
        late.push(Late { content: bytes.into(), report, mode: *mode });
    }
    Ok(late)
}

/// Puts the files in place of what is there, unless that is a folder.
pub(super) fn place(tree: &mut Tree, late: Vec<Late>, epoch: Epoch) -> Result<Vec<Injected>> {
    let mut report = Vec::new();
    for Late { content, report: injected, mode } in late {
        let path = injected.target.as_bytes();
        let parent = path.iter().rposition(|&b| b == b'/').unwrap_or_default();
        let mut put = || {
            tree.create_dir_all(&path[..parent], &Stat::root(0o755, epoch.timestamp()))?;
            if tree.lookup_no_follow(path).is_ok() {
                tree.unlink(path)?;
            }
            tree.create(path, Stat::root(mode, epoch.timestamp()), Node::Regular(content.clone()))
        };
        put().map_err(|error| PipelineError::Inject { target: injected.target.clone(), why: error.to_string() })?;
        report.push(injected);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{dump, parse_dump};

    #[test]
    fn reads_what_is_injected() {
        let check = |text: &str, expect: Option<(&str, &str, u16)>| {
            let expect = expect.map(|(file, target, mode)| Inject {
                file: file.into(),
                target: target.to_owned(),
                mode: Mode(mode),
            });
            assert_eq!(text.parse(), expect.ok_or_else(|| BadInject(text.to_owned())));
        };
        check("a:/opt/a:0755", Some(("a", "/opt/a", 0o755)));
        check("/x/b:c:/opt/a:644", Some(("/x/b:c", "/opt/a", 0o644)));
        for bad in ["a:/opt/a", "a:opt/a:0755", ":/a:0755", "a:/a/../b:0755", "a:/a:9", "a:/:0755", "a:/a/:0644"] {
            check(bad, None);
        }
    }

    #[test]
    fn places_them() {
        let mut tree =
            parse_dump("/ directory 0755 0:0 0\n/a symlink 0777 0:0 0 b\n/d directory 0755 0:0 0\n").expect("a tree");
        let epoch = Epoch::from_variable(None).expect("0");
        let late = |target: &str| {
            let sha256 = Sha256::of(b"x");
            let report = Injected { target: target.to_owned(), mode: "0755".to_owned(), bytes: 1, sha256 };
            vec![Late { content: b"x".to_vec().into(), report, mode: 0o755 }]
        };
        for target in ["/a", "/opt/bin/x"] {
            place(&mut tree, late(target), epoch).expect("placed");
        }
        let kinds: Vec<_> =
            dump(&tree).lines().map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            kinds,
            [
                "/ directory 0755",
                "/a file 0755",
                "/d directory 0755",
                "/opt directory 0755",
                "/opt/bin directory 0755",
                "/opt/bin/x file 0755"
            ]
        );
        let error = place(&mut tree, late("/d"), epoch).expect_err("a folder");
        assert!(error.to_string().starts_with("injected file /d: "), "{error}");
    }
}
