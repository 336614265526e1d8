//! Bundles that are not what they should be: every one is refused, with bundle, member and reason, before anything is written.

use icos::bundle::{Kind, Manifest};

use super::{
    Away, Connected, listing,
    members::{self, Member},
    text,
};

/// Imports what it is told to, into a store that is not there and into one that has something.
struct Judge {
    away: Away,
    count: usize,
}

impl Judge {
    fn check(&mut self, bytes: &[u8], expect: &[&str]) {
        let bundle = self.away.path("bad.bundle");
        fs_err::write(&bundle, bytes).expect("written");
        let before = listing(&self.away.path("home"));
        let (code, _, errors) = self.away.icos(&["bundle", "import", "bad.bundle", "--into", "into"]);
        assert!(code == 1 && errors.starts_with("error: bundle bad.bundle: "), "{expect:?}: {code} {errors}");
        for part in expect {
            assert!(errors.contains(part), "{part}: {errors}");
        }
        assert_eq!(listing(&self.away.path("home")), before, "{expect:?}");
        assert!(!self.away.path("into").exists() && !self.away.path(".into.unfinished").exists(), "{expect:?}");
        assert!(listing(&self.away.path("tmp")).is_empty(), "{expect:?}");
        self.count += 1;
    }
}

fn of_kind(manifest: &Manifest, kind: Kind) -> String {
    manifest.entries.iter().find(|entry| entry.kind == kind && entry.size > 0).expect("one of each kind").path.clone()
}

const KINDS: [Kind; 8] =
    [Kind::Program, Kind::Definition, Kind::Lock, Kind::Key, Kind::Package, Kind::Release, Kind::Index, Kind::Artifact];

#[test]
fn nothing_wrong_comes_in() {
    let Some(connected) = Connected::new() else { return };
    let bundle = connected.bundle("good", &[]);
    let good = fs_err::read(&bundle).expect("there");
    let whole = members::read(&bundle);
    assert!(members::write(&whole) == good, "what the test writes is the format");
    let manifest = members::manifest(&bundle);
    let mut judge = Judge { away: Away::new(), count: 0 };

    flipped(&mut judge, &good, &whole, &manifest);
    cut(&mut judge, &good, &whole);
    // The program is what makes a bundle large; a small one serves as well for the rest, and the sums go with it.
    let mut small = whole;
    members::replace(&mut small, "program/icos", b"a program");
    misplaced(&mut judge, &small);
    let manifest = Manifest::read(&small[0].content).expect("a manifest");
    misnamed(&mut judge, &small, &manifest);
    consistent(&mut judge, &small, &manifest);
    // A store that has something is left alone as well.
    judge.away.ok(&["store", "add", text(&bundle)]);
    misplaced(&mut judge, &small);
    assert!(judge.count > 50, "{}", judge.count);
    // The small one itself is fine.
    fs_err::write(judge.away.path("small"), members::write(&small)).expect("written");
    judge.away.ok(&["bundle", "import", "small", "--into", "into"]);
}

/// One bit, in the contents and in the header of a member of each kind.
fn flipped(judge: &mut Judge, good: &[u8], whole: &[Member], manifest: &Manifest) {
    let kinds = KINDS.map(|kind| of_kind(manifest, kind));
    let names = kinds.iter().map(String::as_str).chain(["bundle.json", "SHA256SUMS"]);
    let mut bytes = good.to_vec();
    for name in names {
        let index = whole.iter().position(|member| member.name == name).expect("there");
        let header = members::write(&whole[..index]).len() - 1024;
        for at in
            [header + 512 + whole[index].content.len() / 2, header + 512, header + 104, header + 136, header + 329]
        {
            bytes[at] ^= 4;
            // The list's first line is of the manifest: which of the two is damaged can't be known.
            let either = name == "SHA256SUMS" && at == header + 512;
            let told = if either { "hint: the file was damaged".to_owned() } else { format!("member `{name}`") };
            judge.check(&bytes, &[&told]);
            bytes[at] ^= 4;
        }
    }
    assert!(bytes == good);
}

fn cut(judge: &mut Judge, good: &[u8], whole: &[Member]) {
    let (first, last) = (&whole[2], whole.last().expect("members"));
    let program = whole[..2].iter().map(|member| 512 + member.content.len().next_multiple_of(512)).sum::<usize>();
    let end = good.len();
    for (at, member, why) in [
        (0, "bundle.json", "the file ends inside it"),
        (100, "bundle.json", "the file ends inside it"),
        (600, "bundle.json", "the file ends inside it"),
        (program + 511, first.name.as_str(), "the file ends inside it"),
        (program + 70_000, first.name.as_str(), "the file ends inside it"),
        (end - 1025, last.name.as_str(), "the file ends inside it"),
        (end - 1024, last.name.as_str(), "the file ends without the end mark behind it"),
        (end - 1, last.name.as_str(), "the file ends without the end mark behind it"),
    ] {
        judge.check(&good[..at], &[&format!("member `{member}`: {why}")]);
    }
    judge.check(&[good, b"x"].concat(), &["1 bytes follow the last member `", &last.name]);
    judge.check(&[good, &[0; 512]].concat(), &["512 bytes follow the last member `", &last.name]);
    let mut marked = good.to_vec();
    marked[end - 1] = 1;
    judge.check(&marked, &[&format!("member `{}`: what follows it is no end mark", last.name)]);
    // Padding is not a place to hide something.
    let mut padded = good.to_vec();
    padded[512 + whole[0].content.len()] = 1;
    judge.check(&padded, &["member `bundle.json`: padding behind it is not zero"]);
    judge.check(b"no archive", &["member `bundle.json`"]);
    judge.check(&[0; 2048], &["member `bundle.json`"]);
}

/// Headers that are not the manifest's.
fn misplaced(judge: &mut Judge, whole: &[Member]) {
    let mut check = |change: &dyn Fn(&mut Vec<Member>), expect: &str| {
        let mut members = whole.to_vec();
        change(&mut members);
        judge.check(&members::write(&members), &[expect]);
    };
    let at = 5;
    let name = whole[at].name.clone();
    let rename = |to: &'static str| move |all: &mut Vec<Member>| all[at] = all[at].clone().renamed(to);
    check(&rename("../x"), "member `../x`: its path has `.`, `..` or nothing between slashes");
    check(&rename("project/../../x"), "member `project/../../x`: its path has `.`, `..`");
    check(&rename("/etc/x"), "member `/etc/x`: its path is absolute");
    check(&rename("project/x"), &format!("member `project/x`: it stands where the manifest has `{name}`"));
    for kind in [b'1', b'2', b'3', b'5', b'6', b'L', b'x'] {
        let expect = format!("member `{name}`: it is not a plain file but of type `{}`", char::from(kind));
        check(&|all| all[at] = all[at].clone().of_type(kind), &expect);
    }
    check(&|all| all.insert(at + 1, all[at].clone()), &format!("member `{name}`: it is there twice"));
    check(&|all| all.push(all[at].clone()), &format!("member `{name}`: it is there twice"));
    check(&|all| all.push(all[at].clone().renamed("zzz")), "member `zzz`: no target of the bundle needs it");
    check(&|all| all.push(all[at].clone().renamed("../zzz")), "member `../zzz`: its path has `.`, `..`");
    check(&|all| all.swap(at, at + 1), &format!("it stands where the manifest has `{name}`"));
    check(&|all| drop(all.remove(at)), &format!("it stands where the manifest has `{name}`"));
    check(
        &|all| all[at] = all[at].clone().with("longer than it was before this"),
        &format!("member `{name}`: its header"),
    );
}

/// Manifests that are no manifest, with sums that fit.
fn misnamed(judge: &mut Judge, whole: &[Member], manifest: &Manifest) {
    let mut check = |change: &dyn Fn(&mut Manifest), expect: &str| {
        let (mut members, mut manifest) = (whole.to_vec(), manifest.clone());
        change(&mut manifest);
        members::resum(&mut members, manifest.text());
        judge.check(&members::write(&members), &["member `bundle.json`: ", expect]);
    };
    let path = |to: &'static str| move |all: &mut Manifest| all.entries[3].path = to.to_owned();
    check(&path("project/../x"), "`project/../x`: the path has `.`, `..`");
    check(&path("/project/x"), "`/project/x`: the path is absolute");
    check(&path("project//x"), "`project//x`: the path has `.`, `..` or nothing between slashes");
    check(&path("project/a\tb"), "the path has a control character");
    check(&path("elsewhere/x"), "`elsewhere/x`: a file of its kind lies elsewhere");
    check(&path("bundle.json"), "`bundle.json`: a file of its kind lies elsewhere");
    let twice = manifest.entries[3].path.clone();
    check(&|all| all.entries.insert(4, all.entries[3].clone()), &format!("`{twice}` is named twice"));
    check(&|all| all.entries.swap(3, 4), &format!("`{twice}` is not in its place by order"));
    check(
        &|all| all.folders.push("project/overlays/o/etc/run".to_owned()),
        "`project/overlays/o/etc/run` is named twice",
    );
    check(&|all| all.links[0].path = "project/ic-os/os/link".to_owned(), "it is not inside an overlay");
    check(&|all| all.links[0].path = "project/overlays/o/overlay.toml".to_owned(), "it is not inside an overlay");
    check(&|all| all.links[0].path = "project/overlays/o/etc/conf.d".to_owned(), "what it is in is no folder");
    check(&|all| all.links[0].target.clear(), "what it leads to is empty");
    check(&|all| all.entries[3].absent = true, "is absent, but no base is named");
    check(&|all| all.entries[3].size = u64::MAX, "it is too large for POSIX tar");
    check(&|all| all.format = 2, "format 2, but this program reads format 1");
    check(&|all| all.builds.clear(), "no target");
    check(&|all| all.builds[0].base = "../x".to_owned(), "`os/dev on ../x` is no target on a base");
    check(&|all| drop(all.entries.remove(0)), "no program/icos");
    check(&|all| all.entries.last_mut().expect("some").sha256.0[0] ^= 1, "its sha256 is another");
    let text = manifest.text();
    for (other, expect) in [
        (text.replacen("\"format\": 1", "\"format\":  1", 1), "it is not written as icos writes it"),
        (text.replacen("\"format\"", "\"more\": 1,\n  \"format\"", 1), "unknown field `more`"),
        // What has no name here is skipped without recursion.
        (format!("{{\"x\":{}", "[".repeat(500_000)), "EOF while parsing a list"),
        (String::new(), "EOF"),
    ] {
        let mut members = whole.to_vec();
        members::resum(&mut members, other);
        judge.check(&members::write(&members), &["member `bundle.json`: ", expect]);
    }
}

/// Changes by someone who knows the format: all sums fit, and the locks' evidence does not.
fn consistent(judge: &mut Judge, whole: &[Member], manifest: &Manifest) {
    let content = |path: &str| whole.iter().find(|member| member.name == path).expect("there").content.clone();
    let mut check = |path: &str, content: &[u8], expect: &[&str]| {
        let mut members = whole.to_vec();
        members::replace(&mut members, path, content);
        judge.check(&members::write(&members), expect);
    };
    for kind in [Kind::Package, Kind::Release, Kind::Index, Kind::Artifact] {
        let entries = manifest.entries.iter().filter(|entry| entry.kind == kind && entry.path.starts_with("store/"));
        let path = &entries.clone().next().expect("one of each kind").path;
        check(path, b"other", &[&format!("member `{path}`: a target of the bundle needs it")]);
    }
    let lock = of_kind(manifest, Kind::Lock);
    let locked = String::from_utf8(content(&lock)).expect("UTF-8");
    check(
        &lock,
        locked.replace("/lib_1.5", "/lib_1.6").as_bytes(),
        &["os-dev.lock: index to stanza: package lib 1.5", "has the file "],
    );
    check(&lock, b"", &["os-dev.lock"]);
    let image = "project/ic-os/os/image.toml";
    check(image, &[&content(image)[..], b"\n"].concat(), &["os-dev.lock is stale"]);
    check("project/snapshots/keys/test.asc", b"no key", &["snapshots/keys/test.asc"]);
    check(
        "project/debs/own.deb",
        b"other",
        &["os-dev.lock: stanza to .deb: package own 1: debs/own.deb (", ") is not in the bundle"],
    );
    // A file that no target needs, and one that is not there, with a manifest that agrees.
    let (mut members, mut more) = (whole.to_vec(), manifest.clone());
    let at = more.entries.iter().position(|entry| entry.path.starts_with("project/snapshots")).expect("some");
    let mut extra = more.entries[at].clone();
    extra.path = "project/snapshots/extra".to_owned();
    let position = more.entries.iter().position(|entry| entry.path > extra.path).expect("some");
    let copied = members[at + 2].clone().renamed(&extra.path);
    more.entries.insert(position, extra);
    members.insert(position + 2, copied);
    members::resum(&mut members, more.text());
    judge.check(&members::write(&members), &["member `project/snapshots/extra`: no target of the bundle needs it"]);
    let (mut members, mut fewer) = (whole.to_vec(), manifest.clone());
    let last = fewer.entries.pop().expect("some").path;
    members.pop();
    members::resum(&mut members, fewer.text());
    judge.check(&members::write(&members), &[&format!("member `{last}`: a target of the bundle needs it")]);
    // Nobody signs an overlay, so what is added to one can't be told; beside the targets' overlays nothing has a place.
    let stowaway = "project/overlays/other/x";
    for change in
        [&(|other: &mut Manifest| other.links[0].path = stowaway.to_owned()) as &dyn Fn(&mut Manifest), &|other| {
            other.folders.push(stowaway.to_owned());
        }]
    {
        let (mut members, mut other) = (whole.to_vec(), manifest.clone());
        change(&mut other);
        other.folders.sort();
        members::resum(&mut members, other.text());
        judge.check(&members::write(&members), &[&format!("member `{stowaway}`: no target of the bundle needs it")]);
    }
}
