//! What may stand on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::boot::Acceleration;
use crate::{
    date::{BadDate, Instant},
    deb::dependency::PackageName,
    manifest::skip::Skip,
    pipeline::Inject,
};

/// Assembles bootable operating-system images from Ubuntu and Debian packages: no container engine, no root, and no program
/// of the target is run.
#[derive(Debug, Parser)]
#[command(name = "icos", version, max_term_width = 110, after_help = AFTER_HELP)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const AFTER_HELP: &str = "\
A target is `<os>/<variant>`, such as guestos/dev; ic-os/<os>/image.toml defines it. A base is
one archive at one instant, defined in snapshots/<base>/base.toml. `icos lock` writes what a target
consists of into snapshots/<base>/, which is committed; all that comes after it depends on nothing
but the lock, the definitions and SOURCE_DATE_EPOCH (0 unless set). Before it writes, it runs the
packages' scripts in memory and tells of all that icos cannot run; [[scripts.skip]] in image.toml
leaves such a script out, for a reason.

Examples:
  icos build guestos/dev    fetch what the lock names, write out/guestos/dev/disk.img
  icos boot guestos/dev     start it in QEMU and wait for its login prompt
  icos lock guestos/dev     move to the archive's newest packages; then git diff snapshots/
  icos bump --base ubuntu-noble    move that base and its locks; prints a pull request's text
  icos rootfs --base debian-bookworm nginx -o web.tar.zst
  icos why guestos/dev /etc/ssh/sshd_config    who made it, who changed it last

Exit status: 0 fine, 1 failed, 2 wrong usage, 3 something differs; 128 and its number when a
signal ended it: 130 Ctrl-C, 143 SIGTERM.";

#[derive(Debug, Args)]
pub(super) struct Common {
    /// What is printed on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Say nothing on the way; results and errors are printed all the same
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more: each step's time
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Folder of downloaded and unpacked packages [default: $ICOS_STORE, else the user's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) store: Option<PathBuf>,
    /// Mirror of the base's archive, instead of the host's own; may be given several times
    #[arg(long, global = true, value_name = "URI")]
    pub(super) mirror: Vec<String>,
    /// Folder with ic-os/, snapshots/, overlays/ and bootloader/ [default: the nearest one upwards]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) project: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    /// One object
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show which packages a request brings, as apt would install them into an empty root
    Resolve(Resolve),
    /// Resolve targets, rehearse what comes of them, and write their locks
    Lock(Lock),
    /// Move a base to another instant, lock its targets anew, and say what changes, as Markdown for a pull request
    Bump(Bump),
    /// Say what changes from one lock to another, as Markdown for a pull request
    Diff(Diff),
    /// Download everything that locks name
    Fetch(Fetch),
    /// Build images from locks
    Build(Build),
    /// Write a root file system with the named packages
    Rootfs(Rootfs),
    /// Start an image in QEMU and wait until a text shows on its console
    Boot(Boot),
    /// Check an image, a built target or a lock with independent readers
    Verify(Verify),
    /// Say why a target has a package, or who made and changed one of its paths
    Why(Why),
    /// Carry targets to a machine without a network, in one file
    #[command(after_help = BUNDLE_HELP)]
    Bundle {
        #[command(subcommand)]
        action: BundleAction,
    },
    /// Look after the store of downloaded and unpacked packages
    Store {
        #[command(subcommand)]
        action: StoreAction,
    },
}

#[derive(Debug, Args)]
pub(super) struct Request {
    /// Archive to take packages from: a folder of snapshots/
    #[arg(long)]
    pub(super) base: String,
    /// Take recommended packages along
    #[arg(long)]
    pub(super) recommends: bool,
    /// `name`, `name=version`, `name/suite`, `name:architecture` or a path to a .deb
    #[arg(value_name = "PKG")]
    pub(super) packages: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Resolve {
    #[command(flatten)]
    pub(super) request: Request,
    /// Do not ask for the packages that are marked Essential
    #[arg(long)]
    pub(super) no_essential: bool,
    /// Open no connection; indexes are those of the newest lock of the base
    #[arg(long)]
    pub(super) offline: bool,
}

#[derive(Debug, Args)]
pub(super) struct Lock {
    /// Targets; all that have a lock on the base when none is named
    pub(super) targets: Vec<String>,
    /// Base to lock on [default: each image's own]
    #[arg(long)]
    pub(super) base: Option<String>,
    /// Write nothing and rehearse nothing; exit with 3 when a lock is not what it would be
    #[arg(long)]
    pub(super) check: bool,
    /// Do not download the packages and run their scripts in memory first: for a machine that must not download; a script
    /// that icos cannot run fails the build then
    #[arg(long)]
    pub(super) no_rehearsal: bool,
}

#[derive(Debug, Args)]
pub(super) struct Bump {
    /// Base to move [default: that of all locks]
    #[arg(long)]
    pub(super) base: Option<String>,
    /// Instant to move to, such as 20250901T000000Z; with `latest` the base stays where it is when that brings nothing
    #[arg(long, value_name = "TS", default_value = "latest")]
    pub(super) to: To,
    /// Move only this package, or source, with all of its source, and hold the rest; may be given several times. A later bump
    /// without it moves everything
    #[arg(long, value_name = "PKG", value_parser = PackageName::new)]
    pub(super) package: Vec<PackageName>,
    /// Write nothing; exit with 3 when something would be written
    #[arg(long)]
    pub(super) check: bool,
    /// Write the locks although icos cannot run scripts of theirs; the report lists them
    #[arg(long)]
    pub(super) no_rehearsal: bool,
}

/// Where a base is to be moved.
#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    Latest,
    At(Instant),
}

impl std::str::FromStr for To {
    type Err = BadDate;

    fn from_str(text: &str) -> Result<Self, BadDate> {
        if text == "latest" { Ok(Self::Latest) } else { Instant::from_compact(text).map(Self::At) }
    }
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The lock before
    pub(super) old: PathBuf,
    /// The lock after
    pub(super) new: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Fetch {
    /// Targets; all that have a lock on the base when none is named
    pub(super) targets: Vec<String>,
    /// Base whose locks are meant [default: each image's own]
    #[arg(long)]
    pub(super) base: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// Targets; all that have a lock on the base when none is named
    pub(super) targets: Vec<String>,
    /// Base to build on [default: each image's own]
    #[arg(long)]
    pub(super) base: Option<String>,
    /// Open no connection; everything must be in the store
    #[arg(long)]
    pub(super) offline: bool,
    /// Folder for the images [default: out/<os>/<variant>]
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Put a file into the finished tree, root's, after everything else; may be given several times
    #[arg(long, value_name = "FILE:TARGET:MODE")]
    pub(super) inject: Vec<Inject>,
    /// Text of version.txt [default: a digest of the lock and the definitions]
    #[arg(long, value_name = "TEXT")]
    pub(super) image_version: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Rootfs {
    #[command(flatten)]
    pub(super) request: Request,
    /// Take every package of Priority: required along, beside the Essential ones
    #[arg(long)]
    pub(super) required: bool,
    /// Leave out the preinst or postinst of a package, for a reason that is not empty; may be given several times
    #[arg(long, value_name = "PACKAGE:SCRIPT=REASON")]
    pub(super) skip_script: Vec<Skip>,
    /// A folder, or a file that ends in .tar, .tar.zst or .ext4
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: PathBuf,
    /// Open no connection; everything must be in the store
    #[arg(long)]
    pub(super) offline: bool,
}

#[derive(Debug, Args)]
pub(super) struct Boot {
    /// A target that was built, or a disk image
    pub(super) image: String,
    /// Text to wait for on the console
    #[arg(long, value_name = "TEXT", default_value = "login: ")]
    pub(super) expect: String,
    /// Seconds to wait for it
    #[arg(long, value_name = "S", default_value_t = 600)]
    pub(super) timeout: u64,
    /// Memory of the machine in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub(super) memory: u32,
    /// Processors of the machine
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) cpus: u32,
    /// Who runs the machine's instructions
    #[arg(long, value_enum, default_value_t = Acceleration::Auto)]
    pub(super) accelerator: Acceleration,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A built target, a disk image or a lock
    pub(super) what: String,
    /// Base of the target or lock [default: the image's own]
    #[arg(long)]
    pub(super) base: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = WHY_HELP)]
pub(super) struct Why {
    /// A target with a lock
    pub(super) target: String,
    /// A package of the lock (`name`, `name:architecture`, `name=version`), or an absolute path of the image, in which `*`, `?` and `[...]` match as in the shell
    #[arg(required = true, value_name = "PKG|/PATH")]
    pub(super) what: Vec<String>,
    /// Base of the lock [default: the image's own]
    #[arg(long)]
    pub(super) base: Option<String>,
    /// Open no connection; everything must be in the store
    #[arg(long)]
    pub(super) offline: bool,
}

const WHY_HELP: &str = "\
A package is answered from the lock: the shortest chain of relations from the target's request.
A path is answered by making the target's tree anew: package, conffile handling, maintainer script
with line and helper, trigger, dpkg's database, policy or overlay step, in order; for what is gone
too. Symbolic links are followed, each with its own history. With -v, all changes are shown.

Examples:
  icos why guestos/dev libwrap0
  icos why guestos/dev /etc/ssh/sshd_config /usr/bin/awk '/boot/initrd*'";

const BUNDLE_HELP: &str = "\
A bundle is a POSIX tar archive with all that builds of its targets need: packages, signed indexes,
keys, locks, definitions, artifacts and this program. The same inputs give the same bytes.

Examples:
  icos fetch guestos/dev && icos bundle create guestos/dev -o dev.bundle
  tar xf dev.bundle program/icos && program/icos bundle import dev.bundle --into project
  cd project && ./icos build --offline guestos/dev";

#[derive(Debug, Subcommand)]
pub(super) enum BundleAction {
    /// Write targets, all from the store and the project, into a bundle; nothing is downloaded
    Create(BundleCreate),
    /// Check everything in a bundle, each lock's signatures included; then put it into the store
    Import(BundleImport),
    /// Show what is in a bundle, by its manifest; contents are not checked
    List {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct BundleCreate {
    /// Targets; all that have a lock on the base when none is named
    pub(super) targets: Vec<String>,
    /// Base whose locks are meant [default: each image's own]
    #[arg(long)]
    pub(super) base: Option<String>,
    /// The bundle
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Leave out what this bundle has, which must then be imported first
    #[arg(long, value_name = "OLD")]
    pub(super) since: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct BundleImport {
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Write the definitions and the program, too, into a folder that is new or empty
    #[arg(long, value_name = "DIR")]
    pub(super) into: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum StoreAction {
    /// Print the folder
    Path,
    /// List packages, with sizes
    List,
    /// Read everything again and remove what is damaged
    Verify,
    /// Put a file in, for the `artifact` and `extract` steps of overlays to find by its sha256, which is printed
    Add { file: PathBuf },
    /// Remove what no lock or overlay of the project names
    Gc,
}
