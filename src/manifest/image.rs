//! `ic-os/<os>/image.toml`: one operating system, its packages, partitions, boot and variants.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use uuid::Uuid;

use super::{
    ManifestError,
    size::Bytes,
    skip::{self, Skip},
};
use crate::nearest::nearest;

/// Bytes of a logical sector; every start and length in a partition table counts these.
pub const SECTOR: u64 = 512;

/// Partitions start and end on whole mebibytes.
const ALIGNMENT_SECTORS: u64 = 2048;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Image {
    /// Name of the operating system, the first half of a target.
    pub name: String,
    /// The base that a target without `--base` is built on.
    pub default_base: String,
    pub bases: BTreeMap<String, ImageBase>,
    pub variants: BTreeMap<String, Variant>,
    #[serde(default)]
    pub scripts: Scripts,
    #[serde(default)]
    pub debconf: Vec<Answer>,
    #[serde(default)]
    pub ids: Ids,
    pub boot: Boot,
    pub disk: Disk,
}

/// SELinux in an image, whose policy is a package of the base.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Selinux {
    /// The policy that every file's label is taken from, a folder in `/etc/selinux` of the image: `default` for
    /// selinux-policy-default.
    pub labels: String,
}

/// What an image takes from one base.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageBase {
    /// By group: package names, and packages that are files, by their path in the project (`debs/x.deb`). Variants choose groups.
    pub packages: BTreeMap<String, Vec<String>>,
    pub loader: Loader,
    /// Kernel arguments that only this base's kernel and packages need.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Beside the image's own: for packages that only this base has.
    #[serde(default)]
    pub scripts: Scripts,
    /// Absent: files carry no labels but those that packages give them.
    pub selinux: Option<Selinux>,
}

/// Where the boot loader's files come from. Its packages are locked and unpacked, never installed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Loader {
    pub packages: Vec<String>,
    /// File in the packages to file on the EFI system partition.
    pub files: BTreeMap<String, String>,
    /// Folder on the EFI system partition in which the loader's binary looks for its `grub.cfg`.
    pub prefix: String,
}

/// One variant, as differences to the image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Variant {
    /// Groups of the base's packages.
    pub packages: Vec<String>,
    /// Folders under `overlays/`, applied in this order.
    pub overlays: Vec<String>,
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// Exceptions to the rule that every maintainer script is interpreted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripts {
    #[serde(default)]
    pub skip: Vec<Skip>,
}

/// One answer to a debconf question, as `debconf-set-selections` reads it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub package: String,
    pub question: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub value: String,
}

/// Numbers that accounts are to have, by name, whoever makes them: packages, sysusers.d or overlays. The others get what is
/// next, in the order of their making, and none of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    #[serde(default)]
    pub users: BTreeMap<String, u32>,
    #[serde(default)]
    pub groups: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Boot {
    /// Folder under `bootloader/` with `grub.cfg`, `grubenv` and `boot_args`.
    pub config: String,
    /// Kernel arguments of every variant.
    pub arguments: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Disk {
    pub guid: Uuid,
    pub partitions: Vec<Partition>,
}

/// One line of a partition table. Starts and lengths count 512-byte sectors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Partition {
    pub name: String,
    pub start: u64,
    pub sectors: u64,
    #[serde(rename = "type")]
    pub kind: Uuid,
    pub guid: Uuid,
    /// What the partition holds; absent leaves it empty, to be filled by the running system.
    pub content: Option<FileSystem>,
}

/// A file system in a partition.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "file-system", rename_all = "kebab-case")]
pub enum FileSystem {
    Fat(Fat),
    Ext4(Ext4),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fat {
    pub files: FatFiles,
    pub label: Option<String>,
    #[serde(default)]
    pub volume_id: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ext4 {
    /// The folder of the built tree that becomes the root of this file system; absent makes it empty.
    pub tree: Option<String>,
    /// Folders whose entries are left out.
    #[serde(default)]
    pub strip: Vec<String>,
    /// Extended regular expressions over whole paths of the built tree, such as `/usr/lib/firmware/brcm/.*`: what matches is left
    /// out, folders with all that is in them. An expression that matches nothing is an error.
    #[serde(default)]
    pub strip_matching: Vec<String>,
    /// Absent: as large as the partition.
    pub size: Option<Bytes>,
    pub hash_seed: Uuid,
    /// Absent: cleared, so that the image can be written to either slot.
    pub uuid: Option<Uuid>,
    pub label: Option<String>,
    pub journal: Option<Bytes>,
}

/// What a FAT partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FatFiles {
    /// The loader's files and the configuration that leads to the `grub` partition.
    Loader,
    /// `grub.cfg` and `grubenv`.
    Grub,
}

impl Partition {
    /// Bytes from the start of the disk.
    pub fn offset(&self) -> u64 {
        self.start * SECTOR
    }

    pub fn len(&self) -> u64 {
        self.sectors * SECTOR
    }

    pub fn is_empty(&self) -> bool {
        self.sectors == 0
    }
}

impl Image {
    /// Reads and checks `image.toml`. `folder` is the name of the folder that it lies in.
    pub fn parse(file: &str, folder: &str, text: &str) -> Result<Self, ManifestError> {
        let image: Self = super::read(file, text)?;
        if image.name != folder {
            let message = format!("the image is named `{}`, but its folder `{folder}`", image.name);
            return Err(ManifestError::invalid(file, message));
        }
        image.check_groups().map_err(|(message, hint)| ManifestError::Invalid {
            file: file.to_owned(),
            message,
            hint: Some(hint),
        })?;
        image.check().map_err(|message| ManifestError::invalid(file, message))?;
        Ok(image)
    }

    /// Scripts that are not run on a base: the image's and the base's own.
    pub fn skips<'a>(&'a self, base: &'a ImageBase) -> impl Iterator<Item = &'a Skip> {
        self.scripts.skip.iter().chain(&base.scripts.skip)
    }

    /// Every group that a variant takes must be one of some base.
    fn check_groups(&self) -> Result<(), (String, String)> {
        let known: BTreeSet<&str> =
            self.bases.values().flat_map(|base| base.packages.keys()).map(String::as_str).collect();
        for (name, variant) in &self.variants {
            let Some(group) = variant.packages.iter().find(|group| !known.contains(group.as_str())) else { continue };
            let message = format!("variant `{name}` takes packages from group `{group}`, which no base has");
            let hint = match nearest(group, known.iter().copied(), 1).first() {
                Some(close) => format!("did you mean `{close}`?"),
                None => "a variant names keys of [bases.BASE.packages]; the packages stand below these".to_owned(),
            };
            return Err((message, hint));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if !self.bases.contains_key(&self.default_base) {
            return Err(format!("default-base `{}` has no [bases.{}]", self.default_base, self.default_base));
        }
        for path in self.bases.values().flat_map(|base| base.packages.values().flatten()) {
            let outside = path.split('/').any(|part| matches!(part, "" | "." | ".."));
            if path.ends_with(".deb") && outside {
                return Err(format!("packages: `{path}` is no path in the project"));
            }
        }
        self.ids.check()?;
        for base in self.bases.values() {
            skip::check(self.skips(base)).map_err(|error| format!("scripts.skip: {error}"))?;
        }
        self.disk.check()
    }
}

impl Ids {
    fn check(&self) -> Result<(), String> {
        for (kind, pins) in [("users", &self.users), ("groups", &self.groups)] {
            let mut names = BTreeMap::new();
            for (name, id) in pins {
                if *id > 0xffff_fffd {
                    return Err(format!("ids.{kind}: {id} of `{name}` is no number that an account can have"));
                }
                if let Some(other) = names.insert(id, name) {
                    return Err(format!("ids.{kind}: `{other}` and `{name}` have one number {id}"));
                }
            }
        }
        Ok(())
    }
}

impl Disk {
    /// The rules of the partition table: whole mebibytes, ascending, apart, no identifier twice.
    fn check(&self) -> Result<(), String> {
        let mut end = ALIGNMENT_SECTORS;
        let mut guids = BTreeMap::new();
        for partition in &self.partitions {
            let name = &partition.name;
            if !partition.start.is_multiple_of(ALIGNMENT_SECTORS)
                || !partition.sectors.is_multiple_of(ALIGNMENT_SECTORS)
                || partition.sectors == 0
            {
                return Err(format!("partition `{name}`: start and sectors must be multiples of {ALIGNMENT_SECTORS}"));
            }
            if partition.start < end {
                return Err(format!(
                    "partition `{name}` starts at sector {}, before {end} where it may",
                    partition.start
                ));
            }
            let past = partition.start.checked_add(partition.sectors).filter(|past| *past < 1 << 50);
            end = past.ok_or_else(|| format!("partition `{name}` ends beyond any disk"))?;
            if let Some(other) = guids.insert(partition.guid, name) {
                return Err(format!("partitions `{other}` and `{name}` have one guid {}", partition.guid));
            }
            if let Some(FileSystem::Ext4(Ext4 { size: Some(size), .. })) = &partition.content
                && size.0 > partition.len()
            {
                return Err(format!(
                    "partition `{name}` holds {}, its file system is to be {size}",
                    Bytes(partition.len())
                ));
            }
        }
        Ok(())
    }

    /// Bytes of the whole disk: a mebibyte follows the last partition, for the backup table.
    pub fn len(&self) -> u64 {
        let end = self.partitions.iter().map(|p| p.start + p.sectors).max().unwrap_or(ALIGNMENT_SECTORS);
        (end + ALIGNMENT_SECTORS) * SECTOR
    }

    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"
        name = "x"
        default-base = "b"
        [bases.b]
        packages = { common = ["systemd"] }
        loader = { packages = [], files = {}, prefix = "/EFI/debian" }
        [variants.prod]
        packages = ["common"]
        overlays = []
        [boot]
        config = "x"
        arguments = []
        [disk]
        guid = "2B110BB7-CDEC-7D41-B97E-893EDCBE5428"
    "#;

    fn partition(name: &str, start: u64, sectors: u64, guid: u8) -> String {
        format!(
            "[[disk.partitions]]\nname = \"{name}\"\nstart = {start}\nsectors = {sectors}\n\
             type = \"0FC63DAF-8483-4772-8E79-3D69D8477DE4\"\nguid = \"00000000-0000-4000-8000-0000000000{guid:02x}\"\n"
        )
    }

    #[test]
    fn checks_the_skips() {
        let check = |skips: &[(&str, &str, &str, &str)], expect: Result<(), &str>| {
            let skip = |(of, package, script, reason): &(&str, &str, &str, &str)| {
                format!("[[{of}]]\npackage = {package:?}\nscript = {script:?}\nreason = {reason:?}\n")
            };
            let text = format!("{HEAD}{}{}", partition("a", 2048, 2048, 1), skips.iter().map(skip).collect::<String>());
            let got = Image::parse("x", "x", &text).map(drop).map_err(|error| error.to_string());
            assert_eq!(got, expect.map_err(|message| format!("x: scripts.skip: {message}")));
        };
        let (image, base) = ("scripts.skip", "bases.b.scripts.skip");
        check(&[(image, "a", "postinst", "why"), (image, "a", "preinst", "why")], Ok(()));
        check(&[(image, "a", "postinst", "why"), (base, "b", "postinst", "why")], Ok(()));
        check(&[(image, "a", "postinst", " \t")], Err("postinst of package `a` is skipped without a reason"));
        check(&[(base, "a", "postinst", "")], Err("postinst of package `a` is skipped without a reason"));
        check(
            &[(image, "a", "postinst", "why"), (base, "a", "postinst", "again")],
            Err("postinst of package `a` is skipped twice"),
        );
        check(
            &[(image, "a", "postist", "why")],
            Err(
                "package `a`: `postist` is no script that is run when a package is installed; did you mean `postinst`?",
            ),
        );
    }

    #[test]
    fn checks_names_and_groups() {
        let check = |from: &str, to: &str, expect: &str, hint: Option<&str>| {
            let text = format!("{}{}", HEAD.replacen(from, to, 1), partition("a", 2048, 2048, 1));
            let error = Image::parse("x", "x", &text).expect_err("refused");
            assert_eq!((error.to_string().as_str(), error.hint()), (expect, hint));
        };
        check("name = \"x\"", "name = \"mine\"", "x: the image is named `mine`, but its folder `x`", None);
        check("default-base = \"b\"", "default-base = \"c\"", "x: default-base `c` has no [bases.c]", None);
        check(
            "packages = [\"common\"]",
            "packages = [\"comon\"]",
            "x: variant `prod` takes packages from group `comon`, which no base has",
            Some("did you mean `common`?"),
        );
        check(
            "packages = [\"common\"]",
            "packages = [\"systemd\"]",
            "x: variant `prod` takes packages from group `systemd`, which no base has",
            Some("a variant names keys of [bases.BASE.packages]; the packages stand below these"),
        );
    }

    #[test]
    fn reads_selinux_of_a_base() {
        let check = |line: &str, expect: Option<&str>| {
            let text = HEAD.replace("[variants.prod]", &format!("{line}\n[variants.prod]"));
            let image = Image::parse("x", "x", &format!("{text}{}", partition("a", 2048, 2048, 1))).expect("valid");
            assert_eq!(image.bases["b"].selinux.as_ref().map(|selinux| selinux.labels.as_str()), expect);
        };
        check("", None);
        check("selinux = { labels = \"default\" }", Some("default"));
        check("[bases.b.selinux]\nlabels = \"mls\"", Some("mls"));
    }

    /// Serde names every key of a table when it meets an unknown one.
    #[test]
    fn the_reference_has_every_key() {
        let reference = include_str!("../../docs/images.md");
        let example =
            reference.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        Image::parse("x", "my", example).expect("the smallest image");
        let ext4 = "{ file-system = \"ext4\", zz = 1 }";
        for table in [
            "zz = 1\n",
            "[bases.b]\nzz = 1\n",
            "[bases.b.selinux]\nzz = 1\n",
            "[bases.b.loader]\nzz = 1\n",
            "[variants.v]\nzz = 1\n",
            "[boot]\nzz = 1\n",
            "[disk]\nzz = 1\n",
            "[[disk.partitions]]\nzz = 1\n",
            &format!("[[disk.partitions]]\ncontent = {ext4}\n"),
            &format!("[[disk.partitions]]\ncontent = {}\n", ext4.replace("ext4", "fat")),
            "[[debconf]]\nzz = 1\n",
            "[ids]\nzz = 1\n",
            "[[scripts.skip]]\nzz = 1\n",
        ] {
            let error = Image::parse("x", "x", table).expect_err("an unknown key").to_string();
            assert!(error.contains("unknown field `zz`"), "{table}: {error}");
            for key in error.split('`').skip(3).step_by(2) {
                let forms = ["`{}`", "[{}]", ".{}]", "[{}."].map(|form| form.replace("{}", key));
                assert!(forms.iter().any(|form| reference.contains(form)), "{table}: {key}");
            }
        }
    }

    #[test]
    fn checks_the_table() {
        let check = |partitions: &[String], expect: Result<u64, &str>| {
            let text = format!("{HEAD}{}", partitions.concat());
            let got = Image::parse("x", "x", &text).map(|image| image.disk.len()).map_err(|error| error.to_string());
            assert_eq!(got, expect.map_err(|message| format!("x: {message}")));
        };
        check(&[partition("a", 2048, 2048, 1), partition("b", 4096, 4096, 2)], Ok((8192 + 2048) * 512));
        check(
            &[partition("a", 2048, 4096, 1), partition("b", 4096, 4096, 2)],
            Err("partition `b` starts at sector 4096, before 6144 where it may"),
        );
        check(&[partition("a", 2049, 2048, 1)], Err("partition `a`: start and sectors must be multiples of 2048"));
        check(
            &[partition("a", 2048, 2048, 1), partition("b", 4096, 4096, 1)],
            Err("partitions `a` and `b` have one guid 00000000-0000-4000-8000-000000000001"),
        );
    }
}
