//! Boot files: the trees of the EFI system and grub partitions, and each slot's kernel arguments.

use std::path::{Path, PathBuf};

use crate::{
    epoch::Epoch,
    manifest::image::Loader,
    tree::{Content, Node, PathError, Stat, Tree},
};

/// Exact length of GRUB's environment block.
const GRUBENV_LEN: usize = 1024;

/// Stands in `boot_args` for the arguments of image, base and variant.
const ARGUMENTS: &str = "@ARGUMENTS@";

#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("none of the loader's packages ({}) has the file `{file}`", packages.join(", "))]
    NoLoaderFile { file: String, packages: Vec<String> },
    #[error("`{name}` on the EFI system partition: {source}")]
    Place { name: String, source: PathError },
    #[error("{}: {fault}", file.display())]
    Config { file: PathBuf, fault: &'static str },
    #[error("kernel argument `{0}` has a blank, a quote or a `$`")]
    Argument(String),
}

/// The files of one folder under `bootloader/`, and the part on the EFI system partition that leads to them.
#[derive(Clone, Debug)]
pub struct Config {
    esp_cfg: Vec<u8>,
    grub_cfg: Vec<u8>,
    grubenv: Vec<u8>,
    boot_args: String,
}

/// Reads `bootloader/esp.cfg` and `bootloader/<name>/{grub.cfg,grubenv,boot_args}`.
pub fn load(bootloader: &Path, name: &str) -> Result<Config, BootError> {
    let folder = bootloader.join(name);
    let config = Config {
        esp_cfg: fs_err::read(bootloader.join("esp.cfg"))?,
        grub_cfg: fs_err::read(folder.join("grub.cfg"))?,
        grubenv: fs_err::read(folder.join("grubenv"))?,
        boot_args: fs_err::read_to_string(folder.join("boot_args"))?,
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
    fn arguments_are_filled_in() {
        let text = config().boot_args(&["console=ttyS0", "quiet"]).expect("plain arguments");
        assert!(text.contains("ro console=ttyS0 quiet dfinity.system=A\"\n"), "{text}");
        assert!(config().boot_args(&["a b"]).is_err());
        assert!(config().boot_args(&["$(reboot)"]).is_err());
    }
}
