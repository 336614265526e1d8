//! Downloads from archives that are right and archives that misbehave.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant as Clock},
};

use icos::{
    digest::Sha256,
    fetch::{self, Error, Fetched, Patience, Proxies, Seen, Source, Wanted},
    manifest::base::Base,
};

use crate::support::{
    archive::{Archive, Suite, signing_day},
    client::{Client, PATH, PATIENCE, Pool, Site, today},
    deb::Deb,
    judge::{judge, run},
    server::{Act, Server},
};

/// What the other tests build on: apt takes the test archive for a real one, and dpkg-deb its packages.
#[test]
fn apt_accepts_the_test_archive() {
    let (Some(archive), Some(mut apt)) = (Archive::new(), judge("apt-get")) else { return };
    let a = Deb::new("a", "1:2.0-1").field("Depends", "b (>= 1)").file("usr/bin/a", b"#!/bin/sh\n");
    let b = Deb::new("b", "1.5");
    archive.publish(&Suite::new("sid").with(&[archive.add(&a), archive.add(&b)]));
    let home = tempfile::tempdir().expect("a folder");
    let path = |name: &str| home.path().join(name).display().to_string();
    for folder in ["lists/partial", "archives/partial", "log"] {
        fs_err::create_dir_all(path(folder)).expect("writable");
    }
    fs_err::write(path("status"), "").expect("writable");
    fs_err::write(path("key.asc"), archive.certificate()).expect("writable");
    let source = format!("deb [arch=amd64 signed-by={}] {} sid main\n", path("key.asc"), archive.uri());
    fs_err::write(path("sources.list"), source).expect("writable");
    let config = format!(
        "APT::Architecture \"amd64\"; APT::Architectures \"amd64\"; APT::Sandbox::User \"\"; Dir::State \"{0}\";\n\
         Dir::State::lists \"{0}/lists\"; Dir::State::status \"{0}/status\"; Dir::Cache \"{0}\"; Dir::Log \"{0}/log\";\n\
         Dir::Etc::sourcelist \"{0}/sources.list\"; Dir::Etc::sourceparts \"{0}/log\";\n\
         Dir::Etc::parts \"{0}/log\"; APT::Update::Post-Invoke-Success \"\"; Debug::NoLocking \"1\";\n",
        home.path().display()
    );
    fs_err::write(path("apt.conf"), config).expect("writable");
    apt.env("APT_CONFIG", path("apt.conf"));
    let (code, output, errors) = run(apt.args(["--error-on=any", "update"]));
    assert_eq!((code, errors.as_str()), (0, ""), "{output}");
    let mut apt = judge("apt-get").expect("it was there a moment ago");
    let (code, output, errors) =
        run(apt.env("APT_CONFIG", path("apt.conf")).args(["--download-only", "--yes", "install", "a"]));
    assert_eq!(code, 0, "{output}{errors}");
    let Some(mut dpkg_deb) = judge("dpkg-deb") else { return };
    let file = archive.root().join("pool/main/a/a/a_2.0-1_amd64.deb");
    let (code, output, errors) = run(dpkg_deb.arg("--contents").arg(file));
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("-rwxr-xr-x root/root        10 1970-01-01 00:00 ./usr/bin/a"), "{output}");
}

/// `Valid-Until` is for mirrors. What a lock names stays good, as does the copy that was carried to a machine without a network.
#[test]
fn what_is_locked_does_not_expire() {
    let Some(site) = Site::new() else { return };
    let client = Client::new();
    client.indexes(&site, &[&site.server.uri()], None).expect("indexes");
    site.archive.publish(&Suite { valid_until: Some(signing_day().plus(60)), ..site.suite.clone() });
    let error = client.indexes(&site, &[&site.server.uri()], None).expect_err("expired").to_string();
    assert!(error.contains("valid until 2024-06-01T00:01:00Z only"), "{error}");
    let file = site.archive.root().join("dists/sid/InRelease");
    let digest = Sha256::of(&fs_err::read(&file).expect("published"));
    client.store.insert(&file, &digest).expect("kept");
    let offline = Client { offline: true, ..client };
    offline.indexes(&site, &[], Some(Seen { digest, signature: None, date: signing_day() })).expect("locked");
}

#[test]
fn indexes_are_verified_and_kept() {
    let Some(site) = Site::new() else { return };
    let client = Client::new();
    let uri = site.server.uri();
    let indexes = client.indexes(&site, &[&uri], None).expect("indexes");
    let [index] = indexes.as_slice() else { panic!("one index, not {}", indexes.len()) };
    let sum = index.entry.sha256;
    assert_eq!(index.path, "main/binary-amd64/Packages.xz");
    assert_eq!(index.release.evidence.signer.to_string(), site.archive.key);
    let text = &site.suite.indexes[&("main".to_owned(), "amd64".to_owned())];
    assert_eq!(index.packages().expect("readable"), text.as_bytes());
    let in_release = "/dists/sid/InRelease";
    let by_hash = format!("/dists/sid/main/binary-amd64/by-hash/SHA256/{sum}");
    assert_eq!(site.server.requests(), [in_release, &by_hash]);

    // What is known by digest is not asked for again.
    let again = client.indexes(&site, &[&uri], None).expect("indexes");
    assert_eq!(site.server.requests(), [in_release]);
    assert_eq!(again[0].release, index.release);
    let offline = Client { offline: true, ..client };
    let seen = Seen { digest: index.release.evidence.digest, signature: None, date: index.release.release.date };
    let kept = offline.indexes(&site, &[&uri], Some(seen)).expect("indexes");
    assert_eq!(kept[0].packages().expect("readable"), text.as_bytes());
    let error = offline.indexes(&site, &[&uri], None).expect_err("nothing says which InRelease");
    assert_eq!(error.to_string(), "dists/sid/InRelease is not in the store, and --offline forbids to fetch it");
    assert_eq!(site.server.requests(), Vec::<String>::new());
    offline.check();
    // The text is kept decompressed; a flipped bit in it is noticed.
    let raw = offline.store.deb(&Sha256::of(text.as_bytes())).expect("kept");
    fs_err::remove_file(&raw).expect("it is there");
    fs_err::write(&raw, text.replacen("Package: a", "Package: c", 1)).expect("writable");
    let error = kept[0].packages().expect_err("damaged").to_string();
    assert!(error.contains(" has the sha256 ") && error.contains(raw.to_str().expect("UTF-8")), "{error}");
}

#[test]
fn indexes_in_other_forms_and_places() {
    let Some(mut site) = Site::new() else { return };
    let text = site.suite.indexes[&("main".to_owned(), "amd64".to_owned())].clone();
    let uri = site.server.uri();
    for (forms, expect) in [(vec![".zst"], ".zst"), (vec![".gz"], ".gz"), (vec![""], "")] {
        site.suite.forms = forms;
        let _ = fs_err::remove_dir_all(site.archive.root().join("dists"));
        site.archive.publish(&site.suite);
        for root in [uri.clone(), site.archive.uri()] {
            let client = Client::new();
            let indexes = client.indexes(&site, &[&root], None).expect("indexes");
            assert_eq!(indexes[0].path, format!("main/binary-amd64/Packages{expect}"));
            assert_eq!(indexes[0].packages().expect("readable"), text.as_bytes());
        }
    }
    site.server.requests();
    site.suite.acquire_by_hash = false;
    site.archive.publish(&site.suite);
    fs_err::remove_file(site.archive.root().join("dists/sid/InRelease")).expect("it was there");
    let indexes = Client::new().indexes(&site, &[&uri], None).expect("a detached signature");
    assert!(indexes[0].release.evidence.signature.is_some());
    let dists = ["InRelease", "Release", "Release.gpg", "main/binary-amd64/Packages"];
    assert_eq!(site.server.requests(), dists.map(|file| format!("/dists/sid/{file}")));

    site.suite.indexes = BTreeMap::from([(("contrib".into(), "arm64".into()), String::new())]);
    site.archive.publish(&site.suite);
    let error = Client::new().indexes(&site, &[&uri], None).expect_err("no such component");
    assert_eq!(
        error.to_string(),
        "suite `sid` has no index of component `main` for amd64; it has components contrib for arm64"
    );
}

#[test]
fn release_files_that_are_refused() {
    let Some(site) = Site::new() else { return };
    let good = fs_err::read(site.archive.root().join("dists/sid/InRelease")).expect("published");
    let publish = |change: &dyn Fn(&mut Suite)| {
        let mut suite = site.suite.clone();
        change(&mut suite);
        site.archive.publish(&suite);
        let path = site.archive.root().join("dists").join(&suite.name).join("InRelease");
        let bytes = fs_err::read(path).expect("published");
        fs_err::write(site.archive.root().join("dists/sid/InRelease"), &good).expect("writable");
        bytes
    };
    let text = String::from_utf8(good.clone()).expect("text");
    let stranger = Archive::new().expect("gpg is there");
    stranger.publish(&site.suite);
    let seen = Some(Seen { digest: Sha256::of(b"x"), signature: None, date: signing_day().plus(1) });
    let cases: [(Vec<u8>, Option<Seen>, &str); 8] = [
        (
            publish(&|suite| suite.valid_until = Some(signing_day().plus(60))),
            None,
            "valid until 2024-06-01T00:01:00Z only",
        ),
        (
            publish(&|suite| suite.date = today().plus(7200)),
            None,
            "dated 2024-06-02T02:00:00Z, and it is 2024-06-02T00",
        ),
        (good.clone(), seen, "dated 2024-06-01T00:00:00Z, older than 2024-06-01T00:00:01Z"),
        (
            publish(&|suite| suite.name = "sid-updates".into()),
            None,
            "asked for suite `sid`, but it is of suite `sid-up",
        ),
        (fs_err::read(stranger.root().join("dists/sid/InRelease")).expect("there"), None, "its maker is not pinned"),
        (text.replace("Origin: Test", "Origin: Tesu").into_bytes(), None, "it does not match the text"),
        (text.replacen("SHA256:", "SHA256:\n", 1).into_bytes(), None, "it does not match the text"),
        (b"Suite: sid\n".to_vec(), None, "expected `-----BEGIN PGP SIGNED MESSAGE-----`"),
    ];
    for (bytes, seen, expect) in cases {
        let client = Client::new();
        site.server.on("InRelease", 1, Act::Bytes(bytes.clone()));
        let error = client.indexes(&site, &[&site.server.uri()], seen).expect_err(expect).to_string();
        assert!(error.contains(expect), "expected `{expect}`, found `{error}`");
        assert!(error.contains("/dists/sid/InRelease"), "{error}");
        assert_eq!(client.names("debs"), Vec::<String>::new(), "nothing unverified is kept");
        // One bad mirror does no harm beside a good one.
        if seen.is_none() {
            site.server.on("InRelease", 1, Act::Bytes(bytes));
            let both = [site.server.uri(), site.archive.uri()];
            client.indexes(&site, &[&both[0], &both[1]], None).expect("the second mirror is good");
        }
        client.check();
    }
}

#[test]
fn a_mirror_in_the_middle_of_an_update() {
    let Some(mut site) = Site::new() else { return };
    let uri = site.server.uri();
    let path = |file: &str| site.archive.root().join("dists/sid").join(file);
    let old = fs_err::read(path("InRelease")).expect("published");
    let stanza = site.archive.add(&Deb::new("c", "1"));
    let old_suite = site.suite.clone();
    site.suite = Suite { date: signing_day().plus(60), ..old_suite.clone().with(&[stanza]) };
    site.archive.publish(&site.suite);

    // By digest the old index can be had still.
    site.server.on("InRelease", 1, Act::Bytes(old));
    let indexes = Client::new().indexes(&site, &[&uri], None).expect("indexes");
    assert_eq!(indexes[0].release.release.date, signing_day());

    let publish_without_hashes = |suite: &Suite| {
        let suite = Suite { acquire_by_hash: false, ..suite.clone() };
        site.archive.publish(&suite);
        fs_err::read(path("InRelease")).expect("published")
    };
    let old = publish_without_hashes(&old_suite);
    publish_without_hashes(&site.suite);
    let client = Client::new();
    site.server.on("InRelease", 1, Act::Bytes(old.clone()));
    let indexes = client.indexes(&site, &[&uri], None).expect("the second InRelease fits");
    assert_eq!(indexes[0].release.release.date, signing_day().plus(60));
    let notes = client.notes.lock().expect("no panic").join("\n");
    assert!(notes.contains("the mirror is being updated; reading sid again"), "{notes}");

    let client = Client::new();
    site.server.on("InRelease", 3, Act::Bytes(old));
    let error = client.indexes(&site, &[&uri], None).expect_err("it never fits").to_string();
    assert!(
        error.starts_with("the mirror is being updated: dists/sid/main/binary-amd64/Packages.xz is not"),
        "{error}"
    );
    client.check();
}

#[expect(clippy::disallowed_methods, reason = "the tests of waiting measure it")]
fn now() -> Clock {
    Clock::now()
}

/// Either the requests that lead to the file, or a part of the message.
type Outcome<'a> = Result<Vec<String>, &'a str>;

/// What the server does, how often, and what comes of it: `Ok` with the requests made, or a part of the message.
#[test]
fn servers_that_misbehave() {
    let pool = Pool::new();
    let (uri, size) = (pool.server.uri(), pool.content.len());
    let whole = format!("/{PATH}");
    let from = |start: usize| format!("{whole} bytes={start}-");
    let other: Vec<u8> = pool.content.iter().map(|byte| !byte).collect();
    let again = |count: usize| Ok(vec![whole.clone(); count]);
    let cases: Vec<(Act, usize, Outcome<'_>)> = vec![
        (Act::Status(404, ""), 9, Err("x_1+b~1_amd64.deb: not found")),
        (Act::Status(403, ""), 9, Err("answers 403")),
        (Act::Status(500, ""), 2, again(3)),
        (Act::Status(500, ""), 5, Err("answers 500")),
        (Act::Status(503, ""), 4, again(5)),
        (Act::Status(503, "Retry-After: 1\r\n"), 1, again(2)),
        (Act::Status(429, "Retry-After: 9999\r\n"), 1, Err("answers 429 and asks to wait 9999 s")),
        (Act::Status(503, ""), 5, Err("answers 503")),
        (Act::Cut(0), 4, again(5)),
        (Act::Cut(0), 5, Err("the connection broke")),
        (Act::Cut(100_000), 1, Ok(vec![whole.clone(), from(100_000)])),
        (
            Act::Cut(100_000),
            7,
            Ok((0..8).map(|round| if round == 0 { whole.clone() } else { from(round * 100_000) }).collect()),
        ),
        (Act::Bytes(other.clone()), 1, Err("has the sha256 ")),
        (Act::Bytes(other[1..].to_vec()), 1, Err("has 799999 bytes or more, expected 800000")),
        (Act::Bytes([&other[..], b"x"].concat()), 1, Err("has 800001 bytes or more, expected 800000")),
        (Act::Trickle(1000, Duration::from_millis(100)), 9, Err("sends fewer than 1000000 bytes a second")),
        (Act::Silence(Duration::from_millis(600)), 1, again(2)),
    ];
    for (act, times, expect) in cases {
        let client = Client::new();
        let label = format!("{times} times {}", &format!("{act:?}").chars().take(60).collect::<String>());
        pool.server.requests();
        pool.server.on("pool", times, act);
        let start = now();
        match (client.files(&[pool.wanted()], &[&uri]), expect) {
            (Ok(fetched), Ok(requests)) => {
                assert_eq!(pool.server.requests(), requests, "{label}");
                assert_eq!((fetched.fetched, fetched.received), (1, size as u64), "{label}");
                assert_eq!(*client.advanced.lock().expect("no panic"), size as u64, "{label}");
            }
            (Err(error), Err(part)) => {
                let error = error.to_string();
                assert!(error.contains(part) && error.contains(&uri), "{label}: expected `{part}`, found `{error}`");
                assert_eq!(client.names("debs"), Vec::<String>::new(), "{label}");
            }
            (found, expect) => panic!("{label}: expected {expect:?}, found {found:?}"),
        }
        assert!(!label.contains("Retry-After: 1\\") || start.elapsed() >= Duration::from_secs(1), "{label}: too early");
        client.check();
        // The next mirror mends it all; what is in the store already is not asked for.
        client.files(&[pool.wanted()], &[&uri, &format!("file:{}", pool.folder.path().display())]).expect(&label);
        assert_eq!(client.names("debs"), [pool.wanted().sha256.to_string()]);
        client.check();
        pool.server.on("pool", usize::MAX, Act::Status(500, ""));
        assert_eq!(client.files(&[pool.wanted()], &[&uri]).expect("nothing to do").present, 1);
        pool.server.forget();
    }
}

#[test]
fn begun_files_are_continued() {
    let pool = Pool::new();
    let (uri, wanted) = (pool.server.uri(), pool.wanted());
    let whole = format!("/{PATH}");
    let half = 400_000;
    let from = format!("{whole} bytes={half}-");
    let wrong: Vec<u8> = pool.content[..half].iter().map(|byte| !byte).collect();
    let cases: Vec<(&[u8], Option<Act>, Vec<&str>)> = vec![
        (&pool.content[..half], None, vec![&from]),
        (&pool.content[..half], Some(Act::IgnoreRange), vec![&from]),
        (&pool.content[..half], Some(Act::WrongRange), vec![&from, &from]),
        (&pool.content[..half], Some(Act::Status(416, "")), vec![&from, &from]),
        (&pool.content, None, vec![]),
        (&wrong, None, vec![&from, &whole]),
    ];
    for (partial, act, requests) in cases {
        let client = Client::new();
        fs_err::write(client.store.root().join("partial").join(wanted.sha256.to_string()), partial).expect("writable");
        if let Some(act) = act {
            pool.server.on("pool", 1, act);
        }
        client.files(std::slice::from_ref(&wanted), &[&uri]).expect("continued");
        assert_eq!(pool.server.requests(), requests);
        assert_eq!(client.names("partial"), Vec::<String>::new());
        client.check();
    }
    // More than the whole file is thrown away.
    let client = Client::new();
    let more = [&pool.content[..], b"more"].concat();
    fs_err::write(client.store.root().join("partial").join(wanted.sha256.to_string()), more).expect("writable");
    client.files(&[wanted], &[&uri]).expect("begun anew");
    assert_eq!(pool.server.requests(), [whole]);
    client.check();
}

#[test]
fn an_interrupted_download_keeps_what_it_has() {
    let pool = Pool::new();
    let client = Client { patience: Patience { slowest: 1, ..PATIENCE }, ..Client::new() };
    pool.server.on("pool", 1, Act::Trickle(50_000, Duration::from_millis(50)));
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            while *client.advanced.lock().expect("no panic") < 100_000 {
                std::thread::sleep(Duration::from_millis(5));
            }
            client.cancelled.store(true, Ordering::SeqCst);
        });
        client.files(&[pool.wanted()], &[&pool.server.uri()]).expect_err("interrupted")
    });
    assert!(matches!(error, Error::Cancelled), "{error}");
    assert_eq!(client.names("debs"), Vec::<String>::new());
    let partial = client.store.root().join("partial").join(pool.wanted().sha256.to_string());
    let kept = partial.metadata().expect("begun").len();
    assert!((100_000..800_000).contains(&kept), "{kept}");
    client.cancelled.store(false, Ordering::SeqCst);
    pool.server.requests();
    client.files(&[pool.wanted()], &[&pool.server.uri()]).expect("continued");
    assert_eq!(pool.server.requests(), [format!("/{PATH} bytes={kept}-")]);
    client.check();
}

/// What [`a_killed_download_is_continued`] starts as a process of its own, to kill it.
#[test]
#[ignore = "a part of another test"]
#[expect(clippy::disallowed_methods, reason = "its parent tells it where to fetch from and to")]
fn child_that_downloads() {
    let (Ok(uri), Ok(folder)) = (std::env::var("ICOS_TEST_URI"), std::env::var("ICOS_TEST_STORE")) else { return };
    let client = Client { patience: Patience { slowest: 1, ..PATIENCE }, ..Client::at(Path::new(&folder)) };
    client.files(&many(None), &[&uri]).expect("nobody kills it");
}

/// Forty files, of which a server that is given a folder has all.
fn many(folder: Option<&Path>) -> Vec<Wanted> {
    let make = |number: u8| {
        let content = vec![number; 20_000 + usize::from(number)];
        if let Some(folder) = folder {
            fs_err::write(folder.join(number.to_string()), &content).expect("writable");
        }
        let (size, sha256) = (content.len() as u64, Sha256::of(&content));
        Wanted { path: number.to_string(), size, sha256, archive: "test".into() }
    };
    (0..40).map(make).collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this very program is the process to kill")]
fn a_killed_download_is_continued() {
    let folder = tempfile::tempdir().expect("a folder");
    let wanted = many(Some(folder.path()));
    let server = Server::start(folder.path());
    server.on("", usize::MAX, Act::Trickle(2_000, Duration::from_millis(5)));
    for after in [0, 100, 300, 500] {
        let client = Client::new();
        let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "fetch::child_that_downloads", "--ignored", "--nocapture"]);
        command.env("ICOS_TEST_URI", server.uri()).env("ICOS_TEST_STORE", client.store.root());
        let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("it starts");
        // Not before it has begun to write.
        while client.names("partial").is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(after));
        child.kill().expect("it runs");
        assert!(!child.wait().expect("it ends").success(), "killed before it was done");
        let (done, begun) = (client.names("debs").len(), client.names("partial").len());
        assert!(done < 40 && begun > 0, "{done} files were done and {begun} begun");
        client.check();
        let patient = Client { patience: Patience { slowest: 1, ..PATIENCE }, ..client };
        server.requests();
        let fetched = patient.files(&wanted, &[&server.uri()]).expect("continued");
        assert_eq!((fetched.present, fetched.fetched), (done, 40 - done));
        assert_eq!(patient.names("debs").len(), 40);
        assert_eq!(patient.names("partial"), Vec::<String>::new());
        patient.check();
    }
}

#[test]
fn many_files_at_once_and_one_that_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let wanted: Vec<_> = (0..60)
        .map(|number| {
            let content = vec![number; 1 + 1000 * usize::from(number)];
            fs_err::write(folder.path().join(number.to_string()), &content).expect("writable");
            let (size, sha256) = (content.len() as u64, Sha256::of(&content));
            Wanted { path: number.to_string(), size, sha256, archive: "test".into() }
        })
        .collect();
    let client = Client::new();
    // Two at once on one store: each file is asked for once.
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| client.files(&wanted, &[&server.uri()]).expect("all"));
        let second = client.files(&wanted, &[&server.uri()]).expect("all");
        (first.join().expect("no panic"), second)
    });
    let bytes: u64 = wanted.iter().map(|file| file.size).sum();
    assert_eq!(first.received + second.received, bytes);
    assert_eq!(server.requests().len(), 60);
    assert_eq!(client.names("debs").len(), 60);
    client.check();
    let all = client.files(&wanted, &[&server.uri()]).expect("all");
    assert_eq!(all, Fetched { present: 60, fetched: 0, received: 0 });

    let client = Client::new();
    server.on("/7", 1, Act::Status(404, ""));
    let error = client.files(&wanted, &[&server.uri()]).expect_err("one is missing");
    assert!(error.to_string().starts_with("no mirror gives 7: http://127.0.0.1:"), "{error}");
    client.check();
    let unknown = Wanted { archive: "other".into(), ..wanted[0].clone() };
    let error = client.files(&[unknown], &[]).expect_err("unknown archive");
    assert_eq!(error.to_string(), "archive `other` is not in the base");
    let outside = Wanted { path: "pool/../../etc/shadow".into(), ..wanted[0].clone() };
    let error = client.files(&[outside], &[&server.uri()]).expect_err("outside");
    assert_eq!(error.to_string(), "`pool/../../etc/shadow` is no path in an archive's pool");
    let offline = Client { offline: true, ..Client::new() };
    server.requests();
    let error = offline.files(&wanted[..1], &[&server.uri()]).expect_err("offline");
    assert_eq!(error.to_string(), "0 is not in the store, and --offline forbids to fetch it");
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn unreachable_mirrors_and_proxies() {
    let pool = Pool::new();
    let client = Client::new();
    // A port that nobody listens on, and one where nobody speaks TLS.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let plain = pool.server.uri().replace("http:", "https:");
    for (root, expect) in [(format!("http://{closed}"), "Connection refused"), (plain, "no connection: ")] {
        let error = client.files(&[pool.wanted()], &[&root]).expect_err(expect);
        assert!(error.to_string().contains(expect), "{error}");
        let hint = error.hint().expect("a hint");
        assert!(hint.starts_with("check the network, a proxy, or the mirror http"), "{hint}");
    }
    let proxies = Proxies { http: Some(pool.server.uri()), https: None, except: Some("direct.invalid".into()) };
    let client = Client { proxies, ..client };
    let error = client.files(&[pool.wanted()], &["http://direct.invalid/debian"]).expect_err("no such host");
    assert!(error.to_string().contains("no connection"), "{error}");
    pool.server.requests();
    client.files(&[pool.wanted()], &["http://proxied.invalid"]).expect("through the proxy");
    assert_eq!(pool.server.requests(), [format!("/{PATH}")]);
}

#[test]
fn snapshots_are_pinned_and_paced() {
    let Some(site) = Site::new() else { return };
    let root = site.archive.root();
    let timestamp = signing_day().plus(5).to_compact();
    fs_err::create_dir(root.join(&timestamp)).expect("writable");
    fs_err::rename(root.join("dists"), root.join(&timestamp).join("dists")).expect("writable");
    let origin = format!("snapshot = \"{}/@TIMESTAMP@\"", site.server.uri());
    let read = |timestamp: &str, client: &Client| {
        let text = site.archive.base(&origin, &["sid"]);
        let text = text.replacen("\n\n", &format!("\ntimestamp = \"{timestamp}\"\n\n"), 1);
        let base = Base::parse("base.toml", "test", &text).expect("a base");
        let known = icos::mirror::Known {
            arguments: vec![],
            config: icos::mirror::Config::default(),
            config_file: Path::new("/nowhere").into(),
            apt: icos::mirror::AptSources::default(),
        };
        let mirrors = known.mirrors(&base.archives[0]).expect("the snapshot");
        let keyring = site.keyring();
        let source = Source { archive: &base.archives[0], keyring: &keyring, mirrors: &mirrors };
        // A machine far in the future: `Valid-Until` and the clock say nothing about a snapshot.
        let now = today().plus(400 * 86_400);
        client.with(|net| fetch::indexes(net, &client.store, &[source], &["amd64"], &BTreeMap::new(), now))
    };
    read(&timestamp, &Client::new()).expect("indexes");
    let early = signing_day().plus(-1).to_compact();
    fs_err::rename(root.join(&timestamp), root.join(&early)).expect("writable");
    let error = read(&early, &Client::new()).expect_err("dated after the pin").to_string();
    assert!(error.contains("dated 2024-06-01T00:00:00Z, after the pinned instant 2024-05-31T23:59:59Z"), "{error}");

    let paced = Patience { burst: 1, between: Duration::from_millis(150), ..PATIENCE };
    let client = Client { patience: paced, ..Client::new() };
    fs_err::rename(root.join(&early), root.join(&timestamp)).expect("writable");
    site.server.on("InRelease", 2, Act::Status(503, ""));
    let start = now();
    read(&timestamp, &client).expect("indexes");
    assert!(start.elapsed() >= Duration::from_millis(450), "four requests, paced: {:?}", start.elapsed());
}
