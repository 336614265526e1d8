//! The store under damage, kills and company.

use std::{collections::BTreeSet, path::Path};

use icos::{
    digest::Sha256,
    store::{Damaged, Error, Freed, Layer, Store},
    tar::Kind,
};

use crate::support::deb::Deb;

struct Fixture {
    folder: tempfile::TempDir,
    /// Packages and their files.
    debs: Vec<(Sha256, Vec<u8>)>,
}

impl Fixture {
    fn new() -> Self {
        let content = |n: usize| (0..n * 50_000).map(|at| (at % 251) as u8).collect::<Vec<_>>();
        let deb = |n: usize| Deb::new(&format!("p{n}"), "1").file(&format!("usr/f{n}"), &content(n)).build();
        let debs = (0..5).map(deb).map(|bytes| (Sha256::of(&bytes), bytes)).collect();
        Self { folder: tempfile::tempdir().expect("a folder"), debs }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("store")
    }

    fn open(&self) -> Store {
        Store::open(&self.root()).expect("a store")
    }

    fn sums(&self) -> Vec<Sha256> {
        self.debs.iter().map(|(sum, _)| *sum).collect()
    }

    fn fill(&self, store: &Store) {
        for (sum, bytes) in &self.debs {
            let path = self.folder.path().join("a.deb");
            fs_err::write(&path, bytes).expect("writable");
            store.insert(&path, sum).expect("taken");
        }
    }

    fn path(&self, folder: &str, index: usize) -> std::path::PathBuf {
        self.root().join(folder).join(self.debs[index].0.to_string())
    }
}

/// What matters of a layer.
fn shown(layer: &Layer) -> String {
    let mut out: String = layer.control.keys().map(|name| format!("{name:?} ")).collect();
    for member in &layer.members {
        let len = if let Kind::Regular(content) = &member.kind { content.len() } else { 0 };
        out += &format!("{} {len} ", member.path);
    }
    out
}

fn make_writable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs_err::set_permissions(path, PermissionsExt::from_mode(0o644)).expect("ours");
}

#[test]
fn layers_are_made_once_and_read_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    fixture.fill(&store);
    let expect = r#""control" / 0 /usr 0 /usr/f1 50000 /usr/share 0 /usr/share/doc 0 /usr/share/doc/p1 0 /usr/share/doc/p1/copyright 5 "#;
    let told = std::sync::atomic::AtomicU64::new(0);
    let add = |size| {
        told.fetch_add(size, std::sync::atomic::Ordering::Relaxed);
    };
    let made = store.layers(&fixture.sums(), &add).expect("layers");
    assert_eq!(told.into_inner(), fixture.debs.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
    assert_eq!(shown(&made[1]).split(' ').collect::<BTreeSet<_>>(), expect.split(' ').collect());
    let meta = fs_err::metadata(fixture.path("layers", 1)).expect("made");
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&meta) & 0o777, 0o444);
    let modified = meta.modified().expect("a time");
    // The packages are not needed any more.
    fs_err::remove_dir_all(fixture.root().join("debs")).expect("ours");
    let read = fixture.open().layers(&fixture.sums(), &|_| ()).expect("layers");
    for (made, read) in made.iter().zip(&read) {
        assert_eq!(shown(made), shown(read));
    }
    assert_eq!(fs_err::metadata(fixture.path("layers", 1)).expect("there").modified().expect("a time"), modified);
}

#[test]
fn damaged_layers_are_made_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    fixture.fill(&store);
    let (sum, path) = (fixture.debs[2].0, fixture.path("layers", 2));
    let expect = shown(&store.layer(&sum).expect("a layer"));
    let good = fs_err::read(&path).expect("readable");
    let check = |what: &str, bytes: &[u8]| {
        make_writable(&path);
        fs_err::write(&path, bytes).expect("writable");
        assert_eq!(shown(&store.layer(&sum).expect("a layer")), expect, "{what}");
        make_writable(&path);
        fs_err::write(&path, bytes).expect("writable");
        assert_eq!(store.verify().expect("readable"), [Damaged { path: path.clone(), removed: true }], "{what}");
        assert_eq!(shown(&store.layer(&sum).expect("a layer")), expect, "{what}");
        assert!(fs_err::read(&path).expect("readable") == good, "{what}");
        assert_eq!(store.verify().expect("readable"), [] as [Damaged; 0], "{what}");
    };
    check("empty", b"");
    check("cut in the header", &good[..50]);
    check("cut in the contents", &good[..good.len() - 1]);
    check("longer", &[good.as_slice(), b"x"].concat());
    for at in [0, 8, 12, 16, 30, 40, 50, 100, 4096, 5000, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        check(&format!("flipped at {at}"), &bad);
    }
    check("another package's", &{
        store.layer(&fixture.debs[3].0).expect("a layer");
        fs_err::read(fixture.path("layers", 3)).expect("readable")
    });
}

#[test]
fn only_what_was_asked_for_comes_in() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let (sum, bytes) = &fixture.debs[0];
    let put = |content: &[u8], size: u64| {
        let mut partial = store.partial(sum).expect("a store").expect("not there yet");
        partial.restart().expect("ours");
        std::io::Write::write_all(partial.file(), content).expect("writable");
        partial.commit(size)
    };
    let mut bad = bytes.clone();
    bad[100] ^= 1;
    let size = bytes.len() as u64;
    assert!(matches!(put(&bad, size), Err(Error::Digest { expected, .. }) if expected == *sum));
    assert!(matches!(put(&bytes[..100], size), Err(Error::Size { expected, found: 100, .. }) if expected == size));
    assert!(matches!(put(bytes, size + 1), Err(Error::Size { .. })));
    assert_eq!(store.list().expect("readable"), Default::default(), "nothing stays of what was wrong");
    assert!(matches!(store.layer(sum), Err(Error::Absent(absent)) if absent == *sum));
    let path = put(bytes, size).expect("right");
    assert_eq!(store.deb(sum), Some(path));
    assert!(store.partial(sum).expect("a store").is_none());
    assert!(matches!(store.insert(&fixture.path("debs", 0), &fixture.debs[1].0), Err(Error::Digest { .. })));
    // An empty artifact is a file, too.
    let empty = Sha256::of(b"");
    let path = fixture.folder.path().join("empty");
    fs_err::write(&path, b"").expect("writable");
    store.insert(&path, &empty).expect("taken");
    assert_eq!(store.verify().expect("readable"), [] as [Damaged; 0]);
}

#[test]
fn damaged_packages_are_named() {
    let fixture = Fixture::new();
    let store = fixture.open();
    fixture.fill(&store);
    make_writable(&fixture.path("debs", 1));
    fs_err::write(fixture.path("debs", 1), &fixture.debs[1].1[..1000]).expect("writable");
    let error = store.layers(&fixture.sums(), &|_| ()).expect_err("a package cut short");
    assert!(matches!(error, Error::Digest { expected, .. } if expected == fixture.debs[1].0), "{error}");
    assert!(error.to_string().contains(&fixture.debs[1].0.to_string()), "{error}");
    // Right as to its sum, and yet no package.
    let cut = &fixture.debs[1].1[..1000];
    let path = fixture.folder.path().join("cut");
    fs_err::write(&path, cut).expect("writable");
    store.insert(&path, &Sha256::of(cut)).expect("taken");
    let error = store.layer(&Sha256::of(cut)).expect_err("a package cut short");
    assert!(matches!(error, Error::Archive { .. }), "{error}");
    assert_eq!(fs_err::read_dir(fixture.root().join("tmp")).expect("a folder").count(), 0, "nothing half-made stays");
}

#[test]
fn a_kill_leaves_the_store_usable() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let (sum, bytes) = &fixture.debs[4];
    // As a kill leaves it: half a download, half a layer.
    let mut partial = store.partial(sum).expect("a store").expect("not there yet");
    std::io::Write::write_all(partial.file(), &bytes[..500]).expect("writable");
    drop(partial);
    fs_err::write(fixture.root().join("tmp/icos-half"), b"x").expect("writable");
    drop(store);

    let store = fixture.open();
    assert_eq!(fs_err::read_dir(fixture.root().join("tmp")).expect("a folder").count(), 0);
    let mut partial = store.partial(sum).expect("a store").expect("not there yet");
    assert_eq!(partial.len().expect("there"), 500);
    std::io::Seek::seek(partial.file(), std::io::SeekFrom::End(0)).expect("a file");
    std::io::Write::write_all(partial.file(), &bytes[500..]).expect("writable");
    partial.commit(bytes.len() as u64).expect("right");
    store.layer(sum).expect("a layer");
}

#[test]
fn several_at_once() {
    let fixture = Fixture::new();
    let done: Vec<Vec<String>> = std::thread::scope(|scope| {
        // Each with a lock of its own, as processes have.
        let work = || {
            let store = fixture.open();
            for (sum, bytes) in &fixture.debs {
                if let Some(mut partial) = store.partial(sum).expect("a store") {
                    partial.restart().expect("ours");
                    std::io::Write::write_all(partial.file(), bytes).expect("writable");
                    partial.commit(bytes.len() as u64).expect("right");
                }
            }
            store.layers(&fixture.sums(), &|_| ()).expect("layers").iter().map(shown).collect()
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(done.iter().all(|shown| *shown == done[0]));
    let store = fixture.open();
    assert_eq!(store.verify().expect("readable"), [] as [Damaged; 0]);
    assert_eq!(store.list().expect("readable").len(), fixture.debs.len());
}

#[test]
fn clean_up_keeps_what_is_named() {
    let fixture = Fixture::new();
    let store = fixture.open();
    fixture.fill(&store);
    store.layers(&fixture.sums(), &|_| ()).expect("layers");
    drop(store.partial(&Sha256::of(b"never finished")).expect("a store"));
    let keep: BTreeSet<Sha256> = fixture.sums()[..2].iter().copied().collect();
    let other = fixture.open();
    assert!(matches!(store.gc(|| Ok::<_, Error>(keep.clone())), Err(Error::Busy(_))), "another has it open");
    drop(other);
    let Freed { files, bytes } = store.gc(|| Ok::<_, Error>(keep.clone())).expect("alone");
    assert_eq!(files, 2 * 3 + 1);
    assert!(bytes > 400_000, "{bytes}");
    assert_eq!(store.list().expect("readable").into_keys().collect::<BTreeSet<_>>(), keep);
    store.layers(&keep.into_iter().collect::<Vec<_>>(), &|_| ()).expect("kept");
}

/// A folder that is no store of ours may be named by mistake: what is not ours in it stays.
#[test]
fn what_is_not_ours_stays() {
    let fixture = Fixture::new();
    let store = fixture.open();
    fixture.fill(&store);
    let root = store.root().to_path_buf();
    drop(store);
    fs_err::write(root.join("tmp/mine"), "mine").expect("written");
    fs_err::create_dir(root.join("tmp/folder")).expect("made");
    fs_err::write(root.join("tmp/icos-left"), "by a kill").expect("written");
    drop(fixture.open());
    assert!(
        root.join("tmp/mine").is_file() && root.join("tmp/folder").is_dir() && !root.join("tmp/icos-left").exists()
    );
    // A named pipe in the place of a layer is told of, and not waited for.
    let sum = fixture.sums()[0];
    let pipe = root.join(format!("layers/{sum}"));
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o644.into(), 0).expect("made");
    let store = fixture.open();
    assert_eq!(store.verify().expect("readable"), [Damaged { path: pipe.clone(), removed: false }]);
    store.layer(&sum).expect("made anew");
    // Behind a link is a folder of somebody else.
    fs_err::create_dir(root.join("other")).expect("made");
    fs_err::write(root.join("other/icos-mine"), "mine").expect("written");
    drop(store);
    fs_err::remove_dir_all(root.join("tmp")).expect("removed");
    fs_err::os::unix::fs::symlink("other", root.join("tmp")).expect("linked");
    drop(fixture.open());
    assert!(root.join("other/icos-mine").is_file());
}

#[test]
fn places_that_cannot_be_written_to() {
    // Nobody can make folders there, not even root.
    let error = Store::open(Path::new("/sys/icos-store")).expect_err("no place for a store");
    assert_eq!(error.to_string(), "store `/sys/icos-store` is read-only");
    if rustix::process::geteuid().is_root() {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let store = fixture.open();
    fixture.fill(&store);
    store.layer(&fixture.debs[0].0).expect("a layer");
    let lock = |mode| {
        for folder in ["debs", "layers", "partial", "tmp", "."] {
            fs_err::set_permissions(fixture.root().join(folder), PermissionsExt::from_mode(mode)).expect("ours");
        }
    };
    lock(0o555);
    fs_err::set_permissions(fixture.root().join("lock"), PermissionsExt::from_mode(0o444)).expect("ours");
    let store = fixture.open();
    store.layer(&fixture.debs[0].0).expect("what is there can be read");
    let errors = [
        store.layer(&fixture.debs[1].0).map(|_| ()).expect_err("nothing can be made"),
        store.partial(&Sha256::of(b"new")).map(|_| ()).expect_err("nothing can be written"),
    ];
    lock(0o755);
    for error in errors {
        assert!(matches!(error, Error::ReadOnly(_)), "{error}");
    }
}
