//! Signatures: good ones, and one forged file for each rule, judged by gpgv where the rule isn't stricter by intent.

use icos::{
    date::Instant,
    deb::fingerprint::Fingerprint,
    manifest::base::{Base, PinnedKey},
    trust::{self, Keyring},
};

use crate::support::gpg::Gpg;

const TEXT: &str = "Origin: Test\nSuite: test\n- dash\n-----BEGIN PGP SIGNATURE-----\nFrom: here\n\ttab\nlast: line\n";

/// What the judge is expected to say when icos refuses.
#[derive(Clone, Copy, PartialEq)]
pub enum Gpgv {
    Agrees,
    /// The policy is stricter than gpgv by intent.
    WouldAccept,
    /// gpgv has no clock but this machine's, or its answer depends on its version.
    NotAsked,
}

pub struct Bench {
    pub gpg: Gpg,
}

impl Bench {
    pub fn keyring(&self, pins: &[&str]) -> Keyring {
        let files: Vec<_> = pins.iter().map(|pin| (format!("{pin}.asc"), self.gpg.export(pin))).collect();
        let pins: Vec<Fingerprint> = pins.iter().map(|pin| pin.parse().expect("a fingerprint")).collect();
        Keyring::new(&pins, &files).expect("a keyring")
    }

    fn gpgv(&self, pins: &[&str], message: &[u8]) -> bool {
        let file = self.gpg.folder().join("message");
        fs_err::write(&file, message).expect("writable");
        let keys: Vec<u8> = self.gpg.ok(&[&["--armor", "--export"], pins].concat(), b"");
        self.gpg.gpgv(&keys, &[&file])
    }

    pub fn good(&self, pin: &str, message: &[u8], text: &str) {
        let verified = trust::clearsigned("InRelease", message, &self.keyring(&[pin]), now()).expect("good");
        assert_eq!(verified.text(), text);
        assert_eq!(verified.evidence().signer.to_string(), pin);
        assert!(self.gpgv(&[pin], message), "gpgv refuses what we accept:\n{}", String::from_utf8_lossy(message));
    }

    pub fn bad(&self, pin: &str, message: &[u8], expect: &str, judge: Gpgv) {
        let refused = trust::clearsigned("InRelease", message, &self.keyring(&[pin]), now());
        let error = refused.expect_err(expect).to_string();
        assert!(error.contains(expect), "expected `{expect}`, found `{error}`");
        if judge != Gpgv::NotAsked {
            assert_eq!(self.gpgv(&[pin], message), judge == Gpgv::WouldAccept, "gpgv on `{expect}`");
        }
    }
}

/// 2025-01-01: half a year after the signatures of the tests.
pub fn now() -> Instant {
    Instant::from_compact("20250101T000000Z").expect("a date")
}

fn replaced(message: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).expect("text");
    assert!(text.contains(from), "`{from}` is in the message");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn good_signatures() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    for (name, algorithm) in [("rsa", "rsa2048"), ("ed", "ed25519"), ("nist", "nistp256")] {
        let key = bench.gpg.key(name, algorithm, "sign");
        let message = bench.gpg.clearsign(&key, TEXT, &[]);
        bench.good(&key, &message, TEXT);
        // Blanks at line ends are not signed, and so not returned.
        bench.good(&key, &replaced(&message, "Origin: Test", "Origin: Test \t "), TEXT);
        for digest in ["SHA256", "SHA384", "SHA512"] {
            bench.good(&key, &bench.gpg.clearsign(&key, TEXT, &["--digest-algo", digest]), TEXT);
        }
    }
    let key = bench.gpg.key("second", "ed25519", "sign");
    let stranger = bench.gpg.key("stranger", "ed25519", "sign");
    let both = bench.gpg.clearsign(&key, "a: b\n", &["--local-user", &stranger]);
    let verified = trust::clearsigned("InRelease", &both, &bench.keyring(&[&key]), now()).expect("one suffices");
    assert_eq!(verified.evidence().signer.to_string(), key);
    assert_eq!(verified.text(), "a: b\n");
    // A text without a last line break gets one.
    bench.good(&key, &bench.gpg.clearsign(&key, "a: b", &[]), "a: b\n");
}

#[test]
fn keys_at_the_time_of_signing() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let gpg = &bench.gpg;

    let expired = gpg.key_at("20240101T000000", "expired", "ed25519", "sign", "20240701T000000");
    bench.good(&expired, &gpg.clearsign(&expired, TEXT, &[]), TEXT);
    let late = gpg.key("late", "ed25519", "sign");
    let message = gpg.clearsign(&late, TEXT, &[]);
    gpg.ok(&["--faked-system-time", "20240201T000000", "--quick-set-expire", &late, "20240301T000000"], b"");
    bench.bad(&late, &message, "its key expired before, at 2024-03-01T", Gpgv::NotAsked);

    let early = gpg.key("early", "ed25519", "sign");
    let options = ["--faked-system-time", "20230601T000000", "--ignore-time-conflict", "--ignore-valid-from"];
    let message = gpg.clearsign(&early, TEXT, &options);
    bench.bad(&early, &message, "its key was made later, at 2024-01-01T00:00:00Z", Gpgv::NotAsked);

    let primary = gpg.key("primary", "ed25519", "cert");
    gpg.ok(&["--faked-system-time", "20240102T000000", "--quick-add-key", &primary, "ed25519", "sign", "never"], b"");
    let message = gpg.clearsign(&primary, TEXT, &[]);
    bench.good(&primary, &message, TEXT);
    let verified = trust::clearsigned("InRelease", &message, &bench.keyring(&[&primary]), now()).expect("good");
    assert_ne!(verified.evidence().key.to_string(), primary, "a subkey signed");
    let commands = b"key 1\nrevkey\ny\n0\n\ny\nsave\n";
    gpg.ok(&["--faked-system-time", "20240701T000000", "--command-fd", "0", "--edit-key", &primary], commands);
    bench.bad(&primary, &message, "its key is revoked", Gpgv::NotAsked);
}

#[test]
fn revoked_and_weak_keys() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let gpg = &bench.gpg;

    let revoked = gpg.key("revoked", "ed25519", "sign");
    let message = gpg.clearsign(&revoked, TEXT, &[]);
    bench.good(&revoked, &message, TEXT);
    let file = gpg.folder().join(format!("openpgp-revocs.d/{revoked}.rev"));
    let certificate = fs_err::read_to_string(file).expect("gpg writes it with the key").replace("\n:---", "\n---");
    gpg.ok(&["--import"], certificate.as_bytes());
    // gpgv looks at no revocation.
    bench.bad(&revoked, &message, "its key is revoked", Gpgv::WouldAccept);

    let short = gpg.key("short", "rsa1024", "sign");
    let message = gpg.clearsign(&short, TEXT, &[]);
    bench.bad(&short, &message, "its RSA key has 1024 bits, fewer than 2048", Gpgv::WouldAccept);
    let dsa = gpg.key("dsa", "dsa2048", "sign");
    bench.bad(&dsa, &gpg.clearsign(&dsa, TEXT, &[]), "its key is of a weak or unknown kind", Gpgv::WouldAccept);

    let unflagged = gpg.key("unflagged", "ed25519", "sign");
    let message = gpg.clearsign(&unflagged, TEXT, &[]);
    let time = ["--faked-system-time", "20240701T000000", "--command-fd", "0", "--expert", "--edit-key", &unflagged];
    gpg.ok(&time, b"change-usage\ns\nq\nsave\n");
    bench.bad(&unflagged, &message, "its key is not for signing", Gpgv::NotAsked);

    let weakly = gpg.key_at("20240101T000000", "weakly", "rsa2048", "sign", "never");
    let message = gpg.clearsign(&weakly, TEXT, &[]);
    let options = ["--faked-system-time", "20240201T000000", "--cert-digest-algo", "SHA1", "--quick-set-expire"];
    gpg.ok(&[&options[..], &[&weakly, "20300101T000000"]].concat(), b"");
    // The older binding, with a strong digest, still stands in the certificate unless it is cleaned away.
    let minimal = gpg.ok(&["--armor", "--export-options", "export-minimal", "--export", &weakly], b"");
    let ring = Keyring::new(&[weakly.parse().expect("a fingerprint")], &[("weakly.asc".into(), minimal)]);
    let error = trust::clearsigned("InRelease", &message, &ring.expect("a keyring"), now()).expect_err("SHA-1 binding");
    assert!(error.to_string().contains("its key has no valid binding"), "{error}");
}

#[test]
fn signatures_that_do_not_count() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let key = bench.gpg.key("key", "rsa2048", "sign");
    let sign = |options: &[&str]| bench.gpg.clearsign(&key, TEXT, options);
    let good = sign(&[]);

    let stranger = bench.gpg.key("stranger", "ed25519", "sign");
    let message = bench.gpg.clearsign(&stranger, TEXT, &[]);
    bench.bad(&key, &message, &format!("signature by {stranger}: its maker is not pinned"), Gpgv::Agrees);
    bench.bad(&key, &replaced(&good, "Suite: test", "Suite: tesu"), "it does not match the text", Gpgv::Agrees);
    bench.bad(&key, &replaced(&good, "\ttab", " tab"), "it does not match the text", Gpgv::Agrees);
    for digest in ["SHA1", "RIPEMD160"] {
        bench.bad(&key, &sign(&["--digest-algo", digest]), &format!("its digest {digest} is too weak"), Gpgv::NotAsked);
    }
    let renamed = replaced(&good, "Hash: SHA512", "Hash: SHA256");
    bench.bad(&key, &renamed, "its digest SHA512 is not announced in the header", Gpgv::Agrees);
    let message = sign(&["--default-sig-expire", "30d"]);
    bench.bad(&key, &message, "it expired at 2024-07-01T00:00:00Z", Gpgv::NotAsked);
    bench.good(&key, &sign(&["--default-sig-expire", "20y"]), TEXT);
    let message = sign(&["--faked-system-time", "20250103T000000"]);
    bench.bad(&key, &message, "it was made in the future, at 2025-01-03T00:00:00Z", Gpgv::NotAsked);
    bench.good(&key, &sign(&["--faked-system-time", "20250101T120000"]), TEXT);
    let message = sign(&["--set-notation", "!critical@example.org=1"]);
    bench.bad(&key, &message, "it says something critical that is unknown here", Gpgv::NotAsked);
    bench.good(&key, &sign(&["--set-notation", "harmless@example.org=1"]), TEXT);
}

#[test]
fn frames() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let key = bench.gpg.key("key", "ed25519", "sign");
    let good = bench.gpg.clearsign(&key, TEXT, &["--digest-algo", "SHA512"]);
    let text = String::from_utf8(good.clone()).expect("text");

    bench.bad(&key, TEXT.as_bytes(), "expected `-----BEGIN PGP SIGNED MESSAGE-----`", Gpgv::Agrees);
    bench.bad(&key, format!("x: y\n{text}").as_bytes(), "found `x: y`", Gpgv::WouldAccept);
    bench.bad(&key, format!("{text}x: y\n").as_bytes(), "text after the end of the block", Gpgv::WouldAccept);
    bench.bad(&key, format!("{text}{text}").as_bytes(), "text after the end of the block", Gpgv::NotAsked);
    let injected = replaced(&good, "Hash: SHA512\n", "Hash: SHA512\nSuite: evil\n");
    bench.bad(&key, &injected, "unknown header `Suite: evil`", Gpgv::Agrees);
    let injected = replaced(&good, "SIGNATURE-----\n\n", "SIGNATURE-----\nSuite: evil\n\n");
    bench.bad(&key, &injected, "unknown header `Suite: evil`", Gpgv::NotAsked);
    let blank = replaced(&good, "SHA512\n\n", "SHA512\n \n");
    bench.bad(&key, &blank, "unknown header ` `", Gpgv::NotAsked);
    bench.bad(&key, text.replace('\n', "\r\n").as_bytes(), "control character 0x0d", Gpgv::WouldAccept);
    let hidden = replaced(&good, "Origin: Test", "Origin: Test\rSuite: evil");
    bench.bad(&key, &hidden, "line 4: control character 0x0d", Gpgv::Agrees);
    let trailing = replaced(&good, "Origin: Test", "Origin: Test\r");
    bench.bad(&key, &trailing, "line 4: control character 0x0d", Gpgv::WouldAccept);
    bench.bad(&key, &replaced(&good, "\nlast", "\0last"), "control character 0x00", Gpgv::Agrees);
    bench.bad(&key, &replaced(&good, "- - dash", "- dash"), "it does not match the text", Gpgv::Agrees);
    bench.bad(&key, &replaced(&good, "- - dash", "-- dash"), "begins with an unescaped `-`", Gpgv::Agrees);
    let (unsigned, _) = text.split_at(text.rfind("-----BEGIN PGP SIGNATURE").expect("there is one"));
    bench.bad(&key, unsigned.as_bytes(), "the file ends", Gpgv::Agrees);
    let empty = format!("{unsigned}-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n");
    bench.bad(&key, empty.as_bytes(), "there is no signature", Gpgv::Agrees);
    let (whole, _) = text.split_at(text.len() / 2);
    bench.bad(&key, whole.as_bytes(), "the file ends", Gpgv::Agrees);
}

#[test]
fn one_flipped_bit_never_changes_the_text() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let key = bench.gpg.key("key", "ed25519", "sign");
    let ring = bench.keyring(&[&key]);
    let good = bench.gpg.clearsign(&key, TEXT, &[]);
    let mut accepted = 0;
    for at in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[at / 8] ^= 1 << (at % 8);
        if let Ok(verified) = trust::clearsigned("InRelease", &bad, &ring, now()) {
            assert_eq!(verified.text(), TEXT, "bit {at}");
            accepted += 1;
        }
    }
    // The armor's checksum is not looked at, and the copy of the issuer's id in the packet is not signed.
    assert!(accepted < 120, "{accepted} of {} flips are accepted", good.len() * 8);
}

#[test]
fn detached_signatures() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key("key", "rsa2048", "sign");
    let bench = Bench { gpg };
    let ring = bench.keyring(&[&key]);
    let time = ["--faked-system-time", "20240601T000000", "--armor", "--local-user", &key, "--detach-sign"];
    for mode in [&[][..], &["--textmode"]] {
        let signature = bench.gpg.ok(&[mode, &time].concat(), TEXT.as_bytes());
        let verified = trust::detached("Release", TEXT.as_bytes(), &signature, &ring, now()).expect("good");
        assert_eq!(verified.text(), TEXT);
        assert_eq!(verified.evidence().signature, Some(icos::digest::Sha256::of(&signature)));
        let altered = TEXT.replace("test", "tesu");
        let error = trust::detached("Release", altered.as_bytes(), &signature, &ring, now()).expect_err("altered");
        assert!(error.to_string().ends_with("it does not match the text"), "{error}");
        let returns = TEXT.replace('\n', "\r\n");
        let error = trust::detached("Release", returns.as_bytes(), &signature, &ring, now()).expect_err("CRLF");
        assert_eq!(error.to_string(), "Release: line 1: control character 0x0d");
        let error = trust::detached("Release", TEXT.as_bytes(), TEXT.as_bytes(), &ring, now()).expect_err("no armor");
        assert!(error.to_string().starts_with("Release.gpg: line 1: expected"), "{error}");
    }
}

#[test]
fn pins_and_key_files() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key("key", "ed25519", "sign");
    let pin: Fingerprint = key.parse().expect("a fingerprint");
    let armored = gpg.export(&key);
    let other: Fingerprint = "F6ECB3762474EDA9D21B7022871920D1991BC93C".parse().expect("a fingerprint");
    let check = |pins: &[&Fingerprint], bytes: &[u8], expect: &str| {
        let pins: Vec<_> = pins.iter().map(|pin| (*pin).clone()).collect();
        let error = Keyring::new(&pins, &[("x.asc".into(), bytes.to_vec())]).expect_err("refused");
        assert_eq!(error.to_string(), expect);
    };
    check(&[&pin, &other], &armored, &format!("key {other} is pinned, but not in x.asc"));
    check(&[&pin], b"", "x.asc: line 1: the file ends, expected `-----BEGIN PGP PUBLIC KEY BLOCK-----`");
    // In the first line of the key itself, which an empty line precedes.
    let cut = String::from_utf8(armored).expect("text").replacen("\n\n", "\n\n!", 1);
    assert!(Keyring::new(&[pin], &[("x.asc".into(), cut.into_bytes())]).is_err());
}

#[test]
fn committed_bases_have_their_keys() {
    let snapshots = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    for name in ["debian-bookworm", "ubuntu-noble"] {
        let text = fs_err::read_to_string(snapshots.join(name).join("base.toml")).expect("committed");
        let base = Base::parse("base.toml", name, &text).expect("a base");
        for archive in &base.archives {
            let file = |key: &PinnedKey| {
                (key.file.clone(), fs_err::read(snapshots.join("keys").join(&key.file)).expect("committed"))
            };
            let pins: Vec<_> = archive.keys.iter().map(|key| key.fingerprint.clone()).collect();
            Keyring::new(&pins, &archive.keys.iter().map(file).collect::<Vec<_>>()).expect("all pins are there");
        }
    }
}
