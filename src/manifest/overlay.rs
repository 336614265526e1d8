//! `overlays/<name>/overlay.toml`: what is done to a configured tree, step by step, where others write a Dockerfile.

use serde::Deserialize;

use super::ManifestError;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// Permission bits in octal, as text: `"0755"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u16);

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bits = u16::from_str_radix(&text, 8).ok().filter(|bits| *bits <= 0o7777);
        bits.map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("expected an octal mode such as \"0755\", found `{text}`")))
    }
}

/// One step; exactly one key names what it does. Paths are absolute paths of the target; where `paths` stands, `*`, `?` and
/// `[...]` match as in the shell, and what matches nothing is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Step {
    /// Makes a folder, and those above it.
    Directory {
        path: String,
        mode: Option<Mode>,
        owner: Option<String>,
    },
    /// Copies a folder beside `overlay.toml` onto the target: folders 0755, files 0644, or 0755 where the owner may execute
    /// them; root's. What is there already is replaced.
    Copy {
        from: String,
        to: String,
    },
    /// Writes a file.
    File {
        path: String,
        text: String,
        mode: Option<Mode>,
    },
    /// Makes a symbolic link, in place of what is there unless that is a folder.
    Symlink {
        path: String,
        target: String,
    },
    Chmod {
        paths: Vec<String>,
        mode: Mode,
    },
    Chown {
        paths: Vec<String>,
        owner: String,
        #[serde(default)]
        recursive: bool,
    },
    /// Removes files and folders with all that is in them.
    Remove {
        paths: Vec<String>,
    },
    Truncate {
        path: String,
    },
    /// Deletes the lines that match an extended regular expression; none is an error.
    DeleteLines {
        path: String,
        matching: String,
    },
    /// Replaces what an extended regular expression matches, once a line, as `sed -E s` does; no match is an error.
    Replace {
        path: String,
        matching: String,
        with: String,
    },
    Group {
        name: String,
        #[serde(default)]
        system: bool,
    },
    User {
        name: String,
        #[serde(default)]
        system: bool,
        /// Make a group of the same name its primary group.
        #[serde(default)]
        own_group: bool,
        home: Option<String>,
        #[serde(default)]
        no_create_home: bool,
        shell: Option<String>,
        comment: Option<String>,
    },
    Member {
        user: String,
        groups: Vec<String>,
    },
    ModifyUser {
        name: String,
        home: Option<String>,
        shell: Option<String>,
    },
    /// Sets a password to a hash in crypt(5)'s form.
    Password {
        user: String,
        hash: String,
    },
    Enable {
        units: Vec<String>,
    },
    Disable {
        units: Vec<String>,
    },
    Mask {
        units: Vec<String>,
    },
    /// Rebuilds the initrd of every kernel.
    Initramfs {
        #[serde(default)]
        environment: std::collections::BTreeMap<String, String>,
    },
    /// Rebuilds the bundle of certificate authorities.
    CaCertificates {},
    /// Runs `sh -e` in the target.
    Script {
        text: String,
    },
}

impl Overlay {
    pub fn parse(file: &str, text: &str) -> Result<Self, ManifestError> {
        super::read(file, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_steps() {
        let overlay = Overlay::parse(
            "x",
            "[[step]]\ndirectory = { path = \"/root/.ssh\", mode = \"0700\" }\n[[step]]\nenable = { units = [\"chrony\"] }\n\
             [[step]]\nca-certificates = {}\n",
        )
        .expect("valid");
        assert!(matches!(&overlay.steps[0], Step::Directory { mode: Some(Mode(0o700)), .. }));
        assert_eq!(overlay.steps.len(), 3);
        let fault = |text: &str| Overlay::parse("x", text).map(|_| ()).map_err(|error| error.to_string()).unwrap_err();
        assert!(fault("[[step]]\ndirectry = { path = \"/x\" }\n").starts_with("x:2:1: unknown variant `directry`"));
        assert!(fault("[[step]]\nchmod = { paths = [], mode = \"9\" }\n").contains("octal"));
    }
}
