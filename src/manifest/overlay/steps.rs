//! What each kind of step says. Paths are absolute paths of the target; `from` names a file or folder beside `overlay.toml`.
//!
//! Where a key is a list of paths, `*`, `?` and `[...]` match as in the shell, and what matches nothing is an error. Owners are
//! `user`, `user:group` or `:group`, by the names of the target. What a step makes belongs to root unless it says otherwise.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Mode, ModeChange};
use crate::digest::{Sha256, Sha512};

macro_rules! step {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($(#[$inner])* pub $field: $kind,)*
        }
    };
}

step! {
    /// Makes a folder, and those above it, which are 0755. One that is there gets the mode and the owner.
    Directory {
        path: String,
        mode: Option<Mode>,
        owner: Option<String>,
    }
}

step! {
    /// Copies a file, or what a folder holds, onto the target: folders 0755, files 0644, or 0755 where the owner may execute
    /// them. What is there already is replaced; folders are merged.
    Copy {
        from: String,
        to: String,
        /// Of a single file.
        mode: Option<Mode>,
        /// Of everything that is copied.
        owner: Option<String>,
    }
}

step! {
    /// Writes a file, 0644 unless said otherwise, in place of what is there.
    File {
        path: String,
        text: String,
        mode: Option<Mode>,
        owner: Option<String>,
    }
}

step! {
    /// Writes a text with its placeholders, such as `@ROOT_HASH@`, replaced by values. A value without a placeholder, and a
    /// placeholder without a value, are errors.
    Template {
        from: String,
        to: String,
        /// By placeholder: a capital letter, then capitals, digits and `_`.
        values: BTreeMap<String, String>,
        /// What stands before and behind a placeholder's name. `["", ""]` makes every word that is a name of `values` one;
        /// left-over ones can't be told from other words then.
        #[serde(default = "at_signs")]
        marks: [String; 2],
        mode: Option<Mode>,
        owner: Option<String>,
    }
}

fn at_signs() -> [String; 2] {
    ["@".to_owned(), "@".to_owned()]
}

step! {
    /// Copies a file, folder or link of the target to another place in it, with mode, owner and times.
    CopyWithin {
        from: String,
        to: String,
    }
}

step! {
    /// Places a file that comes from elsewhere: one beside `overlay.toml` or, if there is none, the one with this sha256 in the
    /// store (`icos store add`).
    Artifact {
        from: String,
        sha256: Option<Sha256>,
        sha512: Option<Sha512>,
        to: String,
        /// 0644 when absent.
        mode: Option<Mode>,
        owner: Option<String>,
    }
}

step! {
    /// Unpacks a tar archive, plain or compressed by gzip, xz or zstd, which is found and checked as an `artifact` is. Files keep
    /// the permissions that the archive gives; all is root's.
    Extract {
        from: String,
        sha256: Option<Sha256>,
        sha512: Option<Sha512>,
        /// A folder, made if need be.
        to: String,
        /// Count of leading parts that are taken off each path, as by `tar --strip-components`; what has no more is left out.
        #[serde(default)]
        strip: usize,
        /// Members by their paths in the archive, folders with all below; patterns as `tar --wildcards` has them. Absent: all.
        #[serde(default)]
        members: Vec<String>,
        /// Of files.
        mode: Option<Mode>,
        owner: Option<String>,
    }
}

step! {
    /// Makes a symbolic link, in place of what is there unless that is a folder.
    Symlink {
        path: String,
        target: String,
    }
}

step! {
    /// Sets permissions: octal (`"0755"`), or as a change (`"u+s"`, `"go-w"`).
    Chmod {
        paths: Vec<String>,
        mode: ModeChange,
        #[serde(default)]
        recursive: bool,
    }
}

step! {
    /// Sets the permissions of everything at and below a path by its type. Symbolic links have none.
    ChmodTree {
        path: String,
        directories: Option<Mode>,
        files: Option<Mode>,
        /// Paths that are left as they are, with all below them.
        #[serde(default)]
        except: Vec<String>,
    }
}

step! {
    Chown {
        paths: Vec<String>,
        owner: String,
        #[serde(default)]
        recursive: bool,
    }
}

step! {
    /// Removes files and folders with all that is in them.
    Remove {
        paths: Vec<String>,
        /// What matches nothing is no error.
        #[serde(default)]
        optional: bool,
    }
}

step! {
    /// Removes what has one of the names, anywhere below a folder.
    RemoveNamed {
        below: String,
        /// Names, or patterns such as `*.pyc`.
        names: Vec<String>,
        /// A pattern that matches nothing is no error.
        #[serde(default)]
        optional: bool,
    }
}

step! {
    /// Makes a file empty; it must be there.
    Truncate {
        path: String,
    }
}

step! {
    /// Deletes the lines that match an extended regular expression; none is an error.
    DeleteLines {
        path: String,
        matching: String,
    }
}

step! {
    /// Replaces what an extended regular expression matches, once a line, as `sed -E s` does; no match is an error.
    Replace {
        path: String,
        matching: String,
        with: String,
        /// Every match of a line.
        #[serde(default)]
        global: bool,
    }
}

step! {
    /// `addgroup`.
    Group {
        name: String,
        #[serde(default)]
        system: bool,
    }
}

step! {
    /// `adduser`, by the rules of the target's `/etc/adduser.conf`.
    User {
        name: String,
        #[serde(default)]
        system: bool,
        /// Make a group of the same name its primary group.
        #[serde(default)]
        own_group: bool,
        /// An existing group that becomes its primary group.
        group: Option<String>,
        home: Option<String>,
        #[serde(default)]
        no_create_home: bool,
        shell: Option<String>,
        comment: Option<String>,
    }
}

step! {
    /// Adds a user to groups.
    Member {
        user: String,
        groups: Vec<String>,
    }
}

step! {
    /// `usermod`: what is given is changed; the home is not moved.
    ModifyUser {
        name: String,
        home: Option<String>,
        shell: Option<String>,
        comment: Option<String>,
    }
}

step! {
    /// Sets a password to a hash in crypt(5)'s form, or to what no password has, such as `!!`.
    Password {
        user: String,
        hash: String,
    }
}

step! {
    /// Deletes a password: the user logs in without one.
    DeletePassword {
        user: String,
    }
}

step! {
    /// Makes the accounts that sysusers.d(5) of the target asks for.
    Sysusers {
        /// Files by name, such as `systemd-timesync.conf`; absent: all.
        #[serde(default)]
        files: Vec<String>,
    }
}

step! {
    Enable {
        units: Vec<String>,
    }
}

step! {
    /// Enables every unit file in a folder that is a regular file, no template, and has an `[Install]` section; none is an error.
    EnableAll {
        folder: String,
        /// Names, or patterns, of units that are left alone.
        #[serde(default)]
        except: Vec<String>,
    }
}

step! {
    /// Disables units; those that are scripts in `/etc/init.d` too.
    Disable {
        units: Vec<String>,
    }
}

step! {
    Mask {
        units: Vec<String>,
    }
}

step! {
    /// Writes a drop-in of a unit below `/etc/systemd/system`.
    DropIn {
        unit: String,
        text: String,
        #[serde(default = "override_conf")]
        name: String,
    }
}

fn override_conf() -> String {
    "override.conf".to_owned()
}

step! {
    /// Places hooks, scripts and modules of initramfs-tools, then rebuilds the initrd of every kernel.
    Initramfs {
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// Lines for `/etc/initramfs-tools/modules`.
        #[serde(default)]
        modules: Vec<String>,
        /// Files beside `overlay.toml`; they go to `/etc/initramfs-tools/hooks`, executable.
        #[serde(default)]
        hooks: Vec<String>,
        /// By place below `/etc/initramfs-tools/scripts`, such as `init-bottom/set-machine-id`: files beside `overlay.toml`.
        #[serde(default)]
        scripts: BTreeMap<String, String>,
    }
}

step! {
    /// Sets the system's locale in `/etc/default/locale`; it must be there: C, C.UTF-8, or one that a package brings.
    Locale {
        lang: String,
        /// Further variables, such as `LC_TIME`.
        #[serde(default)]
        variables: BTreeMap<String, String>,
    }
}

step! {
    /// Rebuilds the bundle of certificate authorities.
    CaCertificates {
        /// Certificates beside `overlay.toml`, in PEM, that are trusted from now on.
        #[serde(default)]
        add: Vec<String>,
    }
}

step! {
    /// Answers a package's debconf questions and has its scripts run again, as `dpkg-reconfigure` does.
    Reconfigure {
        package: String,
        #[serde(default)]
        answers: Vec<Answer>,
    }
}

step! {
    /// An answer to a debconf question.
    Answer {
        question: String,
        /// `boolean`, `select`, `string`, ...
        r#type: String,
        value: String,
    }
}

step! {
    /// Writes `/etc/apt/sources.list.d/NAME.sources`, for a system that installs packages itself. No image is built from it.
    AptSource {
        name: String,
        uris: Vec<String>,
        suites: Vec<String>,
        #[serde(default)]
        components: Vec<String>,
        /// An armored or binary key beside `overlay.toml`, which goes to `/etc/apt/keyrings`; or an absolute path of the target.
        signed_by: String,
    }
}

step! {
    /// Writes `/etc/apt/preferences.d/NAME.pref`.
    AptPin {
        name: String,
        packages: Vec<String>,
        /// Such as `release n=bookworm-backports`.
        pin: String,
        priority: i32,
    }
}

step! {
    /// Runs `sh -e` in the target.
    Script {
        text: String,
    }
}
