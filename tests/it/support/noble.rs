//! An archive with the shape of Ubuntu's, as it was at two instants, behind a server that speaks the snapshot service's URIs.
//!
//! Four pockets of one codename, two components, no `Valid-Until`. Packages of Debian are in it with members that are packed
//! as Ubuntu packs them, by zstd.

use std::path::{Path, PathBuf};

use icos::date::Instant;

use super::{
    archive::{Archive, Suite},
    deb::Deb,
    judge::{judge, run},
    server::Server,
};

/// When the archive was as it is served: any second of these and later.
pub const FIRST: &str = "20250801T060000Z";
pub const SECOND: &str = "20250901T060000Z";

/// Seconds at which nothing happened.
pub const AFTER_FIRST: &str = "20250815T123456Z";
pub const AFTER_SECOND: &str = "20250902T000001Z";

pub const POCKETS: [&str; 4] = ["noble", "noble-updates", "noble-security", "noble-backports"];

pub struct Noble {
    /// As it is now: what a live mirror has.
    pub archive: Archive,
    /// Serves `ubuntu/INSTANT/`.
    pub server: Server,
    pub folder: tempfile::TempDir,
}

impl Noble {
    /// With these packages in the first pocket besides. `None` when gpg is not installed and this is not CI.
    pub fn new(more: &[Repacked]) -> Option<Self> {
        let archive = Archive::new()?;
        let folder = tempfile::tempdir().expect("a folder");
        let more: Vec<_> = more.iter().map(|deb| archive.put(&deb.file, &deb.control, &deb.bytes)).collect();
        for (instant, pockets) in [(FIRST, first(&archive, &more)), (SECOND, second(&archive, &more))] {
            if instant == SECOND {
                // Nothing of before is served any more, by whatever name.
                fs_err::remove_file(archive.root().join("pool/main/p/pulled/pulled_1.2_amd64.deb")).expect("there");
                fs_err::remove_dir_all(archive.root().join("dists")).expect("there");
            }
            for pocket in pockets {
                archive.publish(&pocket);
            }
            archive.freeze(&folder.path().join("ubuntu").join(instant));
        }
        let server = Server::start(folder.path());
        Some(Self { archive, server, folder })
    }

    /// Root of the archive as it was at an instant.
    pub fn uri(&self, instant: &str) -> String {
        format!("{}/ubuntu/{instant}", self.server.uri())
    }

    /// What the service has of an instant at which something happened.
    pub fn path(&self, instant: &str) -> PathBuf {
        self.folder.path().join("ubuntu").join(instant)
    }

    /// base.toml; `more` is for the archive's table.
    pub fn base(&self, instant: &str, more: &str) -> String {
        let snapshot = format!("snapshot = \"{}\"\nearliest = \"20230301T000000Z\"\n{more}", self.uri("@TIMESTAMP@"));
        let base = self.archive.base(&snapshot, &POCKETS);
        let base = base.replacen("\n\n", &format!("\ntimestamp = \"{instant}\"\n\n"), 1);
        base.replace("[\"main\"]", "[\"main\", \"universe\"]")
    }

    /// Lines of sources.list for apt.
    pub fn sources(&self, instant: &str) -> String {
        let line = |pocket| format!("deb [trusted=yes] {} {pocket} main universe\n", self.uri(instant));
        POCKETS.map(line).concat()
    }
}

fn pocket(name: &str, date: &str, main: &[String], universe: &[String]) -> Suite {
    let mut suite = Suite::new(name).with_index("main", main).with_index("universe", universe);
    suite.codename = "noble".to_owned();
    suite.date = Instant::from_compact(date).expect("a date");
    if name.ends_with("-backports") {
        suite.fields = "NotAutomatic: yes\nButAutomaticUpgrades: yes\n".to_owned();
    }
    suite
}

/// The release's own pocket, which never changes, and backports.
fn constant(archive: &Archive, more: &[String]) -> [Suite; 2] {
    let add = |name: &str, version: &str| archive.add(&Deb::new(name, version));
    let mut base = Deb::new("base", "1").field("Essential", "yes").field("Priority", "required");
    for program in ["cat", "cut", "grep", "ln", "readlink", "rm", "sed", "sh", "sleep", "uname"] {
        base = base.file(&format!("usr/bin/{program}"), b"\x7fELF");
    }
    let main = [archive.add(&base), add("libssl", "3.0.13-0ubuntu3"), add("phased", "1.0"), add("pulled", "1.0")];
    let app = Deb::new("app", "1.0-1").field("Depends", "libssl, oldlib");
    let universe = [archive.add(&app), add("oldlib", "1"), add("tool", "1-1"), add("grub", "2.12")];
    [
        pocket("noble", "20240425T151050Z", &[main.as_slice(), more].concat(), &universe),
        pocket("noble-backports", "20250701T000000Z", &[], &[add("tool", "2-1~bpo24.04.1")]),
    ]
}

/// An update that machines get one after the other. The percentage is the index's, not the package's.
fn phased(archive: &Archive, percentage: u8) -> String {
    archive.add(&Deb::new("phased", "1.1")) + &format!("Phased-Update-Percentage: {percentage}\n")
}

fn first(archive: &Archive, more: &[String]) -> Vec<Suite> {
    let add = |name: &str, version: &str| archive.add(&Deb::new(name, version));
    let updates = [add("libssl", "3.0.13-0ubuntu3.1"), phased(archive, 10), add("pulled", "1.2")];
    let mut pockets = constant(archive, more).to_vec();
    pockets.push(pocket("noble-updates", "20250801T050000Z", &updates, &[]));
    pockets.push(pocket("noble-security", "20250801T040000Z", &[add("libssl", "3.0.13-0ubuntu3.1")], &[]));
    pockets
}

/// A security update, an update with a new dependency, and one that was taken back.
fn second(archive: &Archive, more: &[String]) -> Vec<Suite> {
    let add = |name: &str, version: &str| archive.add(&Deb::new(name, version));
    let app = Deb::new("app", "1.1-1").field("Depends", "libssl (>= 3.0.13-0ubuntu3.5), newlib");
    let updates = [add("libssl", "3.0.13-0ubuntu3.1"), phased(archive, 60), add("newlib", "4")];
    let mut pockets = constant(archive, more).to_vec();
    pockets.push(pocket("noble-updates", "20250901T050000Z", &updates, &[archive.add(&app)]));
    pockets.push(pocket("noble-security", "20250901T040000Z", &[add("libssl", "3.0.13-0ubuntu3.5")], &[]));
    pockets
}

/// A package of Debian with members packed by zstd.
pub struct Repacked {
    /// `name_version_architecture.deb`.
    pub file: String,
    pub control: String,
    pub bytes: Vec<u8>,
    /// As Debian packs it.
    pub original: PathBuf,
}

/// Packages of the release that this machine's apt sources have, fetched into `folder` and repacked.
/// `None` when that cannot be done and this is not CI.
#[expect(clippy::disallowed_methods, reason = "CI says by a variable that nothing may be skipped")]
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
pub fn repacked(folder: &Path, names: &[&str]) -> Option<Vec<Repacked>> {
    let (mut apt, _) = (judge("apt-get")?, judge("dpkg-deb")?);
    apt.args(["-qq", "-o", "APT::Sandbox::User=root", "download"]).args(names).current_dir(folder);
    let (code, _, errors) = run(&mut apt);
    if code != 0 {
        assert!(std::env::var_os("CI").is_none(), "{errors}");
        eprintln!("skipped: this machine's apt cannot download: {errors}");
        return None;
    }
    let mut found: Vec<_> =
        fs_err::read_dir(folder).expect("a folder").map(|entry| entry.expect("there").path()).collect();
    found.sort();
    Some(found.into_iter().map(|original| repack(folder, original)).collect())
}

fn repack(folder: &Path, original: PathBuf) -> Repacked {
    let dpkg_deb = |arguments: &[&str]| {
        let mut command = judge("dpkg-deb").expect("it was there a moment ago");
        let (code, output, errors) = run(command.args(arguments).current_dir(folder));
        assert_eq!(code, 0, "dpkg-deb {arguments:?}: {errors}");
        output
    };
    let path = original.to_str().expect("UTF-8");
    dpkg_deb(&["--raw-extract", path, "parts"]);
    // dpkg-deb leaves some folders with the time of the extraction.
    let again = "dpkg-deb --fsys-tarfile \"$1\" | tar -C parts --delay-directory-restore --preserve-permissions -x";
    let mut shell = judge("sh").expect("every machine has one");
    let (code, _, errors) = run(shell.args(["-c", again, "sh", path]).current_dir(folder));
    assert_eq!(code, 0, "{errors}");
    dpkg_deb(&["--root-owner-group", "-Zzstd", "-z3", "--build", "parts", "zstd.deb"]);
    fs_err::remove_dir_all(folder.join("parts")).expect("removed");
    let bytes = fs_err::read(folder.join("zstd.deb")).expect("built");
    fs_err::remove_file(folder.join("zstd.deb")).expect("removed");
    assert!(bytes.windows(12).take(4096).any(|window| window == b"control.tar."), "a package");
    let control = dpkg_deb(&["--field", path]);
    let file = original.file_name().expect("a name").to_string_lossy().replace("%3a", ":");
    let (name, rest) = file.split_once('_').expect("name_version_architecture.deb");
    let rest = rest.split_once(':').map_or(rest, |(_, rest)| rest);
    Repacked { file: format!("{name}_{rest}"), control, bytes, original }
}
