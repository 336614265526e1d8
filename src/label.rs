//! SELinux labels on a finished tree, and whether the policy that they come from can be enforced.
//!
//! Labels are data: they follow from the policy's `file_contexts`. What a kernel loads is a compiled policy, which icos does not
//! make; so an image may have labels and no policy, and that is said aloud.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    selinux::{self, Files, Label, Labels},
    tree::{InodeId, Tree, TreePath},
};

#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    #[error("the image has no SELinux policy `{0}`: /etc/selinux/{0}/contexts/files/file_contexts is not there")]
    NoPolicy(String),
    #[error("labels of SELinux policy `{policy}`")]
    Policy { policy: String, source: selinux::Error },
    #[error("one file, two labels: `{}` is to be {}, its hard link `{}` {}", paths.0, labels.0, paths.1, labels.1)]
    HardLink { paths: (String, String), labels: (String, String) },
    #[error("{why}, and the image has no compiled SELinux policy ({missing}): it would not start")]
    NoCompiledPolicy { why: String, missing: String },
}

impl LabelError {
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoPolicy(_) => Some(
                "add the policy's package (selinux-policy-default) or leave `selinux` out of the base in image.toml",
            ),
            Self::HardLink { .. } => Some("an overlay can say which in file_contexts.local beside file_contexts"),
            Self::NoCompiledPolicy { .. } => Some(
                "bring the policy file by an overlay, or leave security=selinux, selinux=1 and enforcing=1 out until \
                 `semodule -B` has run on the machine",
            ),
            Self::Policy { .. } => None,
        }
    }
}

/// How many names of a tree got a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Labelled {
    pub labelled: usize,
    /// The policy says `<<none>>`: what is there is made at run time.
    pub left: usize,
    /// No entry of the policy matches.
    pub unmatched: usize,
}

/// Gives every name of the tree the label that a policy of the tree itself has for it.
pub fn apply(tree: &mut Tree, policy: &str) -> Result<Labelled, LabelError> {
    let labels = read(tree, policy)?;
    let visits: Vec<_> = tree.walk().collect();
    let found: Vec<_> = visits
        .par_iter()
        .map(|visit| labels.lookup(visit.path.as_bytes(), selinux::kind(tree.get(visit.id))))
        .collect();
    let mut counts = Labelled::default();
    let mut first: BTreeMap<InodeId, (&TreePath, Label<'_>)> = BTreeMap::new();
    let mut values: Vec<(InodeId, &[u8])> = Vec::new();
    for (visit, label) in visits.iter().zip(&found) {
        let (path, before) = *first.entry(visit.id).or_insert((&visit.path, *label));
        if before != *label {
            let show = |path: &TreePath| path.as_bytes().escape_ascii().to_string();
            let text = |label: Label<'_>| match label {
                Label::Context(text) => text.escape_ascii().to_string(),
                Label::Keep | Label::Absent => "without one".to_owned(),
            };
            return Err(LabelError::HardLink {
                paths: (show(path), show(&visit.path)),
                labels: (text(before), text(*label)),
            });
        }
        match label {
            Label::Context(text) => {
                values.push((visit.id, text));
                counts.labelled += 1;
            }
            Label::Keep => counts.left += 1,
            Label::Absent => counts.unmatched += 1,
        }
    }
    for (id, text) in values {
        // The kernel, and what sets labels on a running system, count a zero byte as part of the value.
        let value = [text, b"\0"].concat();
        tree.stat_mut(id).xattrs.insert(selinux::ATTRIBUTE.into(), value.into());
    }
    Ok(counts)
}

fn read(tree: &Tree, policy: &str) -> Result<Labels, LabelError> {
    let text = |name: &str| {
        let path = format!("/etc/selinux/{policy}/contexts/files/file_contexts{name}");
        tree.read(path.as_bytes())
    };
    let file_contexts = text("").map_err(|_| LabelError::NoPolicy(policy.to_owned()))?;
    let [homedirs, local, subs, subs_dist] =
        [".homedirs", ".local", ".subs", ".subs_dist"].map(|name| text(name).unwrap_or_default());
    let files =
        Files { file_contexts: &file_contexts, homedirs: &homedirs, local: &local, subs: &subs, subs_dist: &subs_dist };
    Labels::new(&files).map_err(|source| LabelError::Policy { policy: policy.to_owned(), source })
}

/// Policies of a tree that no kernel can load: they have labels and no `policy/policy.N`.
pub fn uncompiled(tree: &Tree) -> Vec<String> {
    let folders = tree.find(b"/etc/selinux").and_then(|inode| inode.entries());
    let names = folders.into_iter().flat_map(|entries| entries.keys());
    let names = names.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    let has_labels =
        |name: &String| tree.find(format!("/etc/selinux/{name}/contexts/files/file_contexts").as_bytes()).is_some();
    names.filter(has_labels).filter(|name| !is_compiled(tree, name)).collect()
}

fn is_compiled(tree: &Tree, policy: &str) -> bool {
    let folder = tree.find(format!("/etc/selinux/{policy}/policy").as_bytes()).and_then(|inode| inode.entries());
    let mut names = folder.into_iter().flat_map(|entries| entries.keys());
    names.any(|name| {
        let version = name.as_bytes().strip_prefix(b"policy.");
        version.is_some_and(|version| !version.is_empty() && version.iter().all(u8::is_ascii_digit))
    })
}

/// What a report says of a policy that was not compiled.
pub fn note(policy: &str) -> String {
    format!(
        "SELinux policy `{policy}` was not compiled: /etc/selinux/{policy}/policy has no policy file, so no kernel can use it; \
         bring the file by an overlay, or run `semodule -B` on the machine before SELinux is turned on"
    )
}

/// Refuses an image whose kernel would look for a policy that there isn't. To enforce nothing stops the first process; and with
/// SELinux merely on, systemd can't tell its sockets' labels, makes none, and ends in emergency mode.
pub fn check_policy(tree: &Tree, arguments: &[&str]) -> Result<(), LabelError> {
    let last = |name: &str| {
        let mut values = arguments.iter().rev().filter_map(|argument| argument.strip_prefix(name)?.strip_prefix('='));
        values.next()
    };
    if last("selinux") == Some("0") {
        return Ok(());
    }
    let config = tree.read(b"/etc/selinux/config").unwrap_or_default();
    let setting = |name: &str| {
        let line =
            |line: &[u8]| line.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
        config.split(|&b| b == b'\n').find_map(line).map(|value| String::from_utf8_lossy(&value).into_owned())
    };
    let is_on = last("selinux").is_some()
        || last("security") == Some("selinux")
        || last("lsm").is_some_and(|list| list.split(',').any(|module| module == "selinux"));
    let is_wanted = matches!(setting("SELINUX").as_deref(), Some("enforcing" | "permissive"));
    let why = match last("enforcing") {
        Some(value) if value != "0" => format!("kernel argument enforcing={value}"),
        _ if is_on && is_wanted => "kernel arguments that turn SELinux on".to_owned(),
        _ => return Ok(()),
    };
    let missing = match setting("SELINUXTYPE") {
        None => "/etc/selinux/config names none".to_owned(),
        Some(policy) if is_compiled(tree, &policy) => return Ok(()),
        Some(policy) => format!("/etc/selinux/{policy}/policy/policy.N"),
    };
    Err(LabelError::NoCompiledPolicy { why, missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Node, Stat, Timestamp};

    fn tree(files: &[(&str, &str)]) -> Tree {
        let stat = |mode| Stat::root(mode, Timestamp::default());
        let mut tree = Tree::new(stat(0o755));
        for (path, text) in files {
            let folder = &path[..path.rfind('/').expect("absolute")];
            tree.create_dir_all(folder.as_bytes(), &stat(0o755)).expect("made");
            tree.create(path.as_bytes(), stat(0o644), Node::Regular(text.as_bytes().to_vec().into())).expect("made");
        }
        tree
    }

    const CONTEXTS: &str = "/etc/selinux/p/contexts/files/file_contexts";

    #[test]
    fn labels_every_name() {
        let mut tree = tree(&[
            (CONTEXTS, "/a(/.*)?\tu:r:t:s0\n/a/b\t-d\tu:r:d:s0\n/a/none\t<<none>>\n"),
            ("/a/b", ""),
            ("/a/none", ""),
        ]);
        let counts = apply(&mut tree, "p").expect("labelled");
        assert_eq!(counts, Labelled { labelled: 2, left: 1, unmatched: 7 });
        let label =
            |path: &str| tree.find(path.as_bytes()).expect("there").stat.xattrs.get(selinux::ATTRIBUTE).cloned();
        assert_eq!(label("/a/b").as_deref(), Some(b"u:r:t:s0\0".as_slice()));
        assert_eq!((label("/a/none"), label("/etc")), (None, None));
    }

    #[test]
    fn refuses_two_labels_of_one_file() {
        let mut tree = tree(&[(CONTEXTS, "/a\tu:r:t:s0\n/b\tu:r:v:s0\n"), ("/a", "")]);
        let (id, place) = (tree.lookup(b"/a").expect("there"), tree.place(b"/b").expect("a place"));
        tree.link(id, place.parent, place.name).expect("linked");
        let error = apply(&mut tree, "p").expect_err("refused").to_string();
        assert_eq!(error, "one file, two labels: `/a` is to be u:r:t:s0, its hard link `/b` u:r:v:s0");
    }

    #[test]
    fn refuses_selinux_without_a_policy() {
        let config = |mode: &str| format!("# SELINUX=\nSELINUX={mode}\nSELINUXTYPE=p\n");
        let check = |mode: &str, compiled: bool, arguments: &[&str], expect: Option<&str>| {
            let config = config(mode);
            let mut files = vec![(CONTEXTS, ""), ("/etc/selinux/config", config.as_str())];
            files.extend(compiled.then_some(("/etc/selinux/p/policy/policy.33", "x")));
            let tree = tree(&files);
            let found = check_policy(&tree, arguments).err().map(|error| error.to_string());
            let end =
                "and the image has no compiled SELinux policy (/etc/selinux/p/policy/policy.N): it would not start";
            assert_eq!(found, expect.map(|why| format!("{why}, {end}")), "{mode} {arguments:?}");
            assert_eq!(uncompiled(&tree), if compiled { vec![] } else { vec!["p".to_owned()] });
        };
        let on = Some("kernel arguments that turn SELinux on");
        check("permissive", false, &[], None);
        check("enforcing", false, &["security=apparmor", "lsm=landlock,yama"], None);
        check("permissive", false, &["security=selinux"], on);
        check("permissive", false, &["lsm=landlock,selinux", "enforcing=0"], on);
        check("enforcing", false, &["selinux=1"], on);
        check("disabled", false, &["selinux=1"], None);
        check("enforcing", false, &["security=selinux", "selinux=0"], None);
        check("permissive", true, &["security=selinux"], None);
        check("permissive", false, &["enforcing=0", "enforcing=1"], Some("kernel argument enforcing=1"));
        check("permissive", true, &["enforcing=1"], None);
        check("permissive", false, &["enforcing=1", "selinux=0"], None);
        let bare = check_policy(&tree(&[]), &["enforcing=1"]).expect_err("refused").to_string();
        assert!(bare.contains("(/etc/selinux/config names none)"), "{bare}");
    }
}
