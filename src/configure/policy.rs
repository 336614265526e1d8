//! What an image is without although real packages make it, and why: the one list of deliberate differences from dpkg.

use crate::{
    cause::Cause,
    shell::pattern,
    tree::{Errno, Node, PathError, Stat, Timestamp, Tree, TreePath},
};

/// One deliberate difference.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Paths; a last component `*` stands for everything in the folder, `**` for everything below it.
    pub paths: &'static [&'static str],
    pub what: Difference,
    pub reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The built-in command that would make it doesn't.
    NotMade,
    /// Removed at the end.
    Removed,
    /// Left as an empty file.
    Emptied,
}

/// All differences, in the order in which they are applied.
pub const POLICY: &[Rule] = &[
    Rule {
        paths: &["/etc/machine-id"],
        what: Difference::Emptied,
        reason: "every machine must have its own; systemd fills an empty file at the first boot",
    },
    Rule {
        paths: &["/var/lib/dbus/machine-id"],
        what: Difference::Removed,
        reason: "a copy of the machine's identity",
    },
    Rule {
        paths: &["/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub"],
        what: Difference::NotMade,
        reason: "private keys must not be in an image; the machine makes its own",
    },
    Rule {
        paths: &["/**/__pycache__"],
        what: Difference::NotMade,
        reason: "byte-code is a cache that only Python itself can make",
    },
    Rule {
        paths: &["/var/cache/man/**"],
        what: Difference::NotMade,
        reason: "an index that man-db makes when it is wanted",
    },
    Rule {
        paths: &["/var/cache/fontconfig/**"],
        what: Difference::NotMade,
        reason: "an index of fonts, by the times of their folders, that fontconfig makes when it is wanted",
    },
    Rule {
        paths: &["/var/cache/ldconfig/aux-cache"],
        what: Difference::NotMade,
        reason: "it records inode numbers and times of the machine that made it",
    },
    Rule {
        paths: &["/var/log/alternatives.log", "/var/log/dpkg.log", "/var/log/apt/*"],
        what: Difference::NotMade,
        reason: "logs say when the image was built, not what it is",
    },
    Rule {
        paths: &[
            "/etc/passwd-",
            "/etc/group-",
            "/etc/shadow-",
            "/etc/gshadow-",
            "/etc/subuid-",
            "/etc/subgid-",
            "/var/cache/debconf/*-old",
            "/var/lib/dpkg/*-old",
        ],
        what: Difference::NotMade,
        reason: "backups of a state that no system was ever in",
    },
    Rule {
        paths: &["/etc/.pwd.lock", "/var/lib/dpkg/lock", "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/triggers/Lock"],
        what: Difference::NotMade,
        reason: "locks are made by who takes them",
    },
    Rule {
        paths: &[
            "/etc/selinux/*/policy/policy.*",
            "/var/lib/selinux/*/active/policy.kern",
            "/var/lib/selinux/*/active/policy.linked",
            "/var/lib/selinux/*/active/modules_checksum",
            "/var/lib/selinux/*/active/modules/*/*/cil",
        ],
        what: Difference::NotMade,
        reason: "SELinux's policy is not compiled, which every report says; `semodule -B` compiles it",
    },
    Rule {
        paths: &[
            "/etc/selinux/*/contexts/files/file_contexts.bin",
            "/etc/selinux/*/contexts/files/file_contexts.homedirs.bin",
        ],
        what: Difference::NotMade,
        reason: "a cache of compiled patterns; libselinux reads the text beside it",
    },
    Rule { paths: &["/run/*", "/tmp/*"], what: Difference::Removed, reason: "both are empty whenever a system boots" },
    Rule { paths: &["/usr/sbin/policy-rc.d"], what: Difference::Removed, reason: NO_SERVICES },
];

/// Why nothing makes `path`, if that is deliberate.
pub fn not_made(path: &[u8]) -> Option<&'static str> {
    let matches = |pattern: &str| pattern::matches(pattern.replace("**", "*").as_bytes(), path);
    let mut rules = POLICY.iter().filter(|rule| rule.what == Difference::NotMade);
    rules.find(|rule| rule.paths.iter().any(|path| matches(path))).map(|rule| rule.reason)
}

const POLICY_RC_D: &[u8] = b"/usr/sbin/policy-rc.d";
const NO_SERVICES: &str = "it kept services from being started while packages were configured";

/// Makes what is there only while packages are installed.
pub(super) fn begin(tree: &mut Tree, now: Timestamp) -> Result<(), PathError> {
    if tree.find(POLICY_RC_D).is_none() {
        let text = b"#!/bin/sh\nexit 101\n".to_vec();
        tree.enter(|| Cause::Policy { reason: NO_SERVICES });
        tree.create(POLICY_RC_D, Stat::root(0o755, now), Node::Regular(text.into()))?;
        tree.leave();
    }
    Ok(())
}

/// Applies the rules that have something to do at the end.
pub(super) fn apply(tree: &mut Tree, now: Timestamp) -> Result<(), PathError> {
    for rule in POLICY.iter().filter(|rule| rule.what != Difference::NotMade) {
        tree.enter(|| Cause::Policy { reason: rule.reason });
        let paths: Vec<TreePath> = rule.paths.iter().flat_map(|path| matching(tree, path)).collect();
        for path in paths {
            if rule.what == Difference::Removed {
                remove(tree, path.as_bytes())?;
            } else {
                tree.write(path.as_bytes(), Vec::new(), Stat::root(0o644, now))?;
            }
        }
        tree.leave();
    }
    Ok(())
}

fn remove(tree: &mut Tree, path: &[u8]) -> Result<(), PathError> {
    match tree.remove_all(path) {
        Err(error) if error.errno == Errno::NotFound => Ok(()),
        result => result,
    }
}

/// The paths of the tree that a rule's path means.
fn matching(tree: &Tree, pattern: &str) -> Vec<TreePath> {
    let Some(folder) = pattern.strip_suffix("/*") else {
        let exact = TreePath::new(pattern.as_bytes()).ok();
        return exact.filter(|path| tree.lookup_no_follow(path.as_bytes()).is_ok()).into_iter().collect();
    };
    let Ok((id, real)) = tree.resolve(folder.as_bytes()) else { return Vec::new() };
    let names = tree.get(id).entries().into_iter().flat_map(|entries| entries.keys());
    names.map(|name| real.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{dump, parse_dump};

    #[test]
    fn takes_away_what_the_list_says() {
        let mut tree = parse_dump(
            "/ directory 0755 0:0 0\n/etc directory 0755 0:0 0\n/etc/machine-id file 0444 0:0 0 =6162\n\
             /run directory 0755 0:0 0\n/run/lock directory 1777 0:0 0\n/run/lock/x file 0644 0:0 0\n\
             /var directory 0755 0:0 0\n/var/run symlink 0777 0:0 0 /run\n",
        )
        .expect("valid");
        apply(&mut tree, Timestamp::default()).expect("applied");
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            dump(&tree),
            format!(
                "/ directory 0755 0:0 0\n/etc directory 0755 0:0 0\n/etc/machine-id file 0444 0:0 0 0 {empty}\n\
                 /run directory 0755 0:0 0\n/var directory 0755 0:0 0\n/var/run symlink 0777 0:0 0 /run\n"
            )
        );
    }
}
