//! Boot files: the trees of the EFI system and grub partitions, and each slot's kernel arguments.

use std::path::{Path, PathBuf};

use regex::Regex;
use uuid::Uuid;

use crate::{
    epoch::Epoch,
    manifest::image::{Disk, Loader},
    tree::{Content, Node, PathError, Stat, Tree},
};

/// Exact length of GRUB's environment block.
const GRUBENV_LEN: usize = 1024;

/// Stands in `boot_args` for the arguments of image, base and variant.
const ARGUMENTS: &str = "@ARGUMENTS@";

/// The folder of all configurations, as errors name it, and the file in it that they share.
const FOLDER: &str = "bootloader";
const ESP_CFG: &str = "esp.cfg";

#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("boot: `config = \"{config}\"` needs {}, which is not there", file.display())]
    Missing { config: String, file: PathBuf },
    #[error("{}: `{named}` is no partition of [disk] in image.toml", file.display())]
    NoPartition { file: PathBuf, named: String, known: Vec<String> },
    #[error("none of the loader's packages ({}) has the file `{file}`", packages.join(", "))]
    NoLoaderFile { file: String, packages: Vec<String> },
    #[error("`{name}` on the EFI system partition: {source}")]
    Place { name: String, source: PathError },
    #[error("{}: {fault}", file.display())]
    Config { file: PathBuf, fault: &'static str },
    #[error("kernel argument `{0}` has a blank, a quote or a `$`")]
    Argument(String),
}

impl BootError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => {
                Some("docs/images.md says what is in bootloader/ and in each folder of it".to_owned())
            }
            Self::NoPartition { known, .. } => Some(format!("there are {}", known.join(", "))),
            _ => None,
        }
    }
}

/// The files of one folder under `bootloader/`, and the part on the EFI system partition that leads to them.
#[derive(Clone, Debug)]
pub struct Config {
    /// Below the project, for errors.
    folder: PathBuf,
    esp_cfg: Vec<u8>,
    grub_cfg: Vec<u8>,
    grubenv: Vec<u8>,
    boot_args: String,
}

/// Reads `bootloader/esp.cfg` and `bootloader/<name>/{grub.cfg,grubenv,boot_args}`.
pub fn load(bootloader: &Path, name: &str) -> Result<Config, BootError> {
    let top = Path::new(FOLDER);
    let folder = top.join(name);
    let there = |file: PathBuf| {
        let path = bootloader.join(file.strip_prefix(top).unwrap_or(&file));
        if path.is_file() { Ok(path) } else { Err(BootError::Missing { config: name.to_owned(), file }) }
    };
    let config = Config {
        esp_cfg: fs_err::read(there(top.join(ESP_CFG))?)?,
        grub_cfg: fs_err::read(there(folder.join("grub.cfg"))?)?,
        grubenv: fs_err::read(there(folder.join("grubenv"))?)?,
        boot_args: fs_err::read_to_string(there(folder.join("boot_args"))?)?,
        folder: folder.clone(),
    };
    if config.grubenv.len() != GRUBENV_LEN || !config.grubenv.starts_with(b"# GRUB Environment Block\n") {
        return Err(BootError::Config {
            file: folder.join("grubenv"),
            fault: "not an environment block of 1024 bytes",
        });
    }
    if !config.boot_args.contains(ARGUMENTS) {
        return Err(BootError::Config { file: folder.join("boot_args"), fault: "has no @ARGUMENTS@ to fill in" });
    }
    Ok(config)
}

impl Config {
    /// Whether the partitions that the files name, GRUB's `gptN` and the kernel's `PARTUUID=`, are the disk's.
    pub fn check(&self, disk: &Disk, arguments: &[&str]) -> Result<(), BootError> {
        let named = |file: PathBuf, text: &str| match unknown(text, disk) {
            None => Ok(()),
            Some(named) => {
                let number = (1..).zip(&disk.partitions);
                let known =
                    number.map(|(number, part)| format!("gpt{number} (`{}`) PARTUUID={}", part.name, part.guid));
                Err(BootError::NoPartition { file, named, known: known.collect() })
            }
        };
        named(Path::new(FOLDER).join(ESP_CFG), &String::from_utf8_lossy(&self.esp_cfg))?;
        named(self.folder.join("grub.cfg"), &String::from_utf8_lossy(&self.grub_cfg))?;
        named(self.folder.join("boot_args"), &self.boot_args(arguments)?)
    }

    /// What the grub partition holds.
    pub fn grub_tree(&self, epoch: Epoch) -> Result<Tree, BootError> {
        let mut tree = empty(epoch);
        put(&mut tree, epoch, "/grub.cfg", self.grub_cfg.clone().into())?;
        put(&mut tree, epoch, "/grubenv", self.grubenv.clone().into())?;
        Ok(tree)
    }

    /// What the EFI system partition holds: the loader's files and the configuration its binary looks for.
    /// `file` finds a path among the loader's packages.
    pub fn esp_tree(
        &self,
        loader: &Loader,
        epoch: Epoch,
        file: impl Fn(&str) -> Option<Content>,
    ) -> Result<Tree, BootError> {
        let mut tree = empty(epoch);
        for (from, to) in &loader.files {
            let missing = || BootError::NoLoaderFile { file: from.clone(), packages: loader.packages.clone() };
            put(&mut tree, epoch, to, file(from).ok_or_else(missing)?)?;
        }
        put(&mut tree, epoch, &format!("{}/grub.cfg", loader.prefix), self.esp_cfg.clone().into())?;
        Ok(tree)
    }

    /// The file that grub.cfg reads the slots' kernel arguments from.
    pub fn boot_args(&self, arguments: &[&str]) -> Result<String, BootError> {
        let bad = |argument: &&&str| argument.is_empty() || argument.contains(|c: char| " \t\n\"'$\\".contains(c));
        if let Some(argument) = arguments.iter().find(bad) {
            return Err(BootError::Argument((*argument).to_owned()));
        }
        Ok(self.boot_args.replace(ARGUMENTS, &arguments.join(" ")))
    }
}

/// The first partition that a text names and the disk has not. Other disks' (`hd1,gpt3`) and comments don't count.
fn unknown(text: &str, disk: &Disk) -> Option<String> {
    let names = Regex::new(r"(hd[0-9]+,)?\bgpt([0-9]+)\b|\bPARTUUID=([0-9A-Fa-f-]+)").expect("a valid pattern");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut found = lines.flat_map(|line| names.captures_iter(line));
    let fits = |found: &regex::Captures<'_>| match (found.get(2), found.get(3)) {
        (Some(number), _) => {
            let on_other = found.get(1).is_some_and(|disk| disk.as_str() != "hd0,");
            on_other || number.as_str().parse().is_ok_and(|number| (1..=disk.partitions.len()).contains(&number))
        }
        (_, Some(guid)) => {
            guid.as_str().parse::<Uuid>().is_ok_and(|guid| disk.partitions.iter().any(|part| part.guid == guid))
        }
        _ => true,
    };
    found.find(|found| !fits(found)).map(|found| found[0].to_owned())
}

fn empty(epoch: Epoch) -> Tree {
    Tree::new(Stat::root(0o755, epoch.timestamp()))
}

fn put(tree: &mut Tree, epoch: Epoch, path: &str, content: Content) -> Result<(), BootError> {
    let stat = |mode| Stat::root(mode, epoch.timestamp());
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let place = |source| BootError::Place { name: path.to_owned(), source };
    tree.create_dir_all(folder.as_bytes(), &stat(0o755)).map_err(place)?;
    tree.create(path.as_bytes(), stat(0o644), Node::Regular(content)).map_err(place)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::dump;

    fn config() -> Config {
        let bootloader = Path::new(env!("CARGO_MANIFEST_DIR")).join("bootloader");
        load(&bootloader, "guestos").expect("the project's own configuration")
    }

    #[test]
    fn the_esp_leads_to_the_grub_partition() {
        let loader = Loader {
            packages: vec!["shim".to_owned()],
            files: [("/usr/lib/shim".to_owned(), "/EFI/BOOT/BOOTX64.EFI".to_owned())].into(),
            prefix: "/EFI/debian".to_owned(),
        };
        let epoch = Epoch::from_variable(None).expect("none is 0");
        let found = |path: &str| (path == "/usr/lib/shim").then(|| Content::from(b"MZ".to_vec()));
        let tree = config().esp_tree(&loader, epoch, found).expect("all files are there");
        let paths: Vec<String> =
            dump(&tree).lines().map(|l| l.split(' ').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(paths, ["/", "/EFI", "/EFI/BOOT", "/EFI/BOOT/BOOTX64.EFI", "/EFI/debian", "/EFI/debian/grub.cfg"]);
        let missing = config().esp_tree(&loader, epoch, |_| None).expect_err("no such file");
        assert_eq!(missing.to_string(), "none of the loader's packages (shim) has the file `/usr/lib/shim`");
    }

    #[test]
    // table: one row a way to name a partition
    fn only_partitions_of_the_disk_are_named() {
        let text = fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ic-os/guestos/image.toml"));
        let image = crate::manifest::image::Image::parse("x", "guestos", &text.expect("there")).expect("an image");
        config().check(&image.disk, &["console=ttyS0"]).expect("the project's own configuration");
        let check =
            |text: &str, expect: Option<&str>| assert_eq!(unknown(text, &image.disk).as_deref(), expect, "{text}");
        check("set slot=gpt9\nset root=\"$disk,gpt1\"", None);
        check("set slot=gpt10", Some("gpt10"));
        check("configfile (hd0,gpt0)/grub.cfg", Some("hd0,gpt0"));
        check("# gpt10\n chainloader (hd1,gpt10)/x", None);
        check("root=PARTUUID=7C0A626E-e5ea-e543-b5c5-300eb8304db7 ro", None);
        check("root=PARTUUID=7c0a626e-e5ea-e543-b5c5-300eb8304db7/PARTNROFF=1", None);
        check("root=PARTUUID=$uuid gptx", None);
        let other = "PARTUUID=7c0a626e-e5ea-e543-b5c5-300eb8304db8";
        check(&format!("root={other} ro"), Some(other));
        check("root=PARTUUID=1234abcd-01", Some("PARTUUID=1234abcd-01"));
        let reference = include_str!("../docs/images.md");
        let example =
            reference.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let smallest = crate::manifest::image::Image::parse("x", "my", example).expect("an image");
        assert_eq!(unknown(reference, &smallest.disk), None);
        let error = config().check(&image.disk, &[&format!("resume={other}")]).expect_err("refused");
        assert_eq!(
            error.to_string(),
            format!("bootloader/guestos/boot_args: `{other}` is no partition of [disk] in image.toml")
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("gpt5 (`A_root`) PARTUUID=7c0a626e-")), "{error}");
    }

    #[test]
    fn arguments_are_filled_in() {
        let text = config().boot_args(&["console=ttyS0", "quiet"]).expect("plain arguments");
        assert!(text.contains("ro console=ttyS0 quiet dfinity.system=A\"\n"), "{text}");
        assert!(config().boot_args(&["a b"]).is_err());
        assert!(config().boot_args(&["$(reboot)"]).is_err());
    }
}
