//! Signatures and certificates that gpg does not make, made with its own secret keys: old versions, weak digests, missing or false
//! statements. gpgv is asked wherever its answer does not depend on its version.

use icos::{
    date::Instant,
    trust::{self, Keyring},
};
use pgp::{
    composed::{Deserializable, SignedPublicKey, SignedPublicSubKey, SignedSecretKey},
    crypto::hash::HashAlgorithm,
    packet::{KeyFlags, PacketTrait, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData},
    types::{Duration, KeyDetails, Password, SigningKey, Timestamp},
};

use crate::{
    support::gpg::Gpg,
    trust::{Bench, Gpgv, now},
};

const TEXT: &str = "Suite: test\n";

/// 2024-06-01, as the other tests' signatures.
fn day() -> Timestamp {
    Timestamp::from_secs(Instant::from_compact("20240601T000000Z").expect("a date").seconds() as u32)
}

fn subpacket(data: SubpacketData) -> Subpacket {
    Subpacket::regular(data).expect("a subpacket")
}

impl Bench {
    fn secret(&self, key: &str) -> SignedSecretKey {
        let bytes = self.gpg.ok(&["--export-secret-keys", key], b"");
        SignedSecretKey::from_bytes(bytes.as_slice()).expect("gpg's key")
    }

    fn armored(&self, signatures: &[Signature]) -> String {
        let mut packets = Vec::new();
        signatures.iter().for_each(|signature| signature.to_writer_with_header(&mut packets).expect("memory"));
        let text = String::from_utf8(self.gpg.ok(&["--enarmor"], &packets)).expect("text");
        text.replace("ARMORED FILE", "SIGNATURE")
    }

    fn message(&self, hash: &str, signatures: &[Signature]) -> Vec<u8> {
        let armor = self.armored(signatures);
        format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: {hash}\n\n{TEXT}{armor}").into_bytes()
    }

    /// What icos says to a message with an altered certificate, and gpgv.
    fn judged(&self, certificate: &SignedPublicKey, message: &[u8]) -> (Result<(), String>, bool) {
        let bytes = certificate.to_armored_bytes(Default::default()).expect("memory");
        let pin = certificate.primary_key.fingerprint().to_string().to_uppercase();
        let ring = Keyring::new(&[pin.parse().expect("a fingerprint")], &[("k.asc".into(), bytes.clone())]);
        let ring = ring.expect("a keyring");
        let ours =
            trust::clearsigned("InRelease", message, &ring, now()).map(|_| ()).map_err(|error| error.to_string());
        let file = self.gpg.folder().join("message");
        fs_err::write(&file, message).expect("writable");
        (ours, self.gpg.gpgv(&bytes, &[&file]))
    }
}

/// What a signature of today's kind says about itself.
fn usual(key: &impl KeyDetails) -> Vec<Subpacket> {
    [SubpacketData::SignatureCreationTime(day()), SubpacketData::IssuerFingerprint(key.fingerprint())]
        .map(subpacket)
        .into()
}

fn config(key: &impl KeyDetails, typ: SignatureType, hash: HashAlgorithm, hashed: Vec<Subpacket>) -> SignatureConfig {
    SignatureConfig { hashed_subpackets: hashed, ..SignatureConfig::v4(typ, key.algorithm(), hash) }
}

fn sign(key: &impl SigningKey, typ: SignatureType, hash: HashAlgorithm, hashed: Vec<Subpacket>) -> Signature {
    let config = config(key, typ, hash, hashed);
    let mut hasher = hash.new_hasher().expect("known");
    hasher.update(TEXT.trim_end().as_bytes());
    let len = config.hash_signature_data(&mut hasher).expect("serialized");
    hasher.update(&config.trailer(len).expect("a trailer"));
    let digest = hasher.finalize();
    let value = key.sign(&Password::empty(), hash, &digest).expect("signed");
    Signature::from_config(config, [digest[0], digest[1]], value).expect("a signature")
}

#[test]
fn signatures() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let pin = bench.gpg.key("pinned", "rsa2048", "sign");
    let secret = bench.secret(&pin);
    let key = &secret.primary_key;
    let (text, sha512) = (SignatureType::Text, HashAlgorithm::Sha512);
    let good = sign(key, text, sha512, usual(key));
    bench.good(&pin, &bench.message("SHA512", std::slice::from_ref(&good)), TEXT);
    bench.good(&pin, &bench.message("SHA256, SHA512", std::slice::from_ref(&good)), TEXT);

    let id = key.legacy_key_id();
    // RFC 9580 §5.2.4: text, type and time.
    let hashed = [TEXT.trim_end().as_bytes(), &[1], &day().as_secs().to_be_bytes()].concat();
    let digest = sha512.digest(&hashed).expect("known");
    let v3 = SignatureConfig::v3(text, key.algorithm(), sha512, day(), id);
    let value = key.sign(&Password::empty(), sha512, &digest).expect("signed");
    let v3 = Signature::from_config(v3, [digest[0], digest[1]], value).expect("a signature");
    bench.bad(&pin, &bench.message("SHA512", &[v3]), "its version is neither 4 nor 6", Gpgv::WouldAccept);
    for (hash, name, judge) in [
        (HashAlgorithm::Md5, "MD5", Gpgv::Agrees),
        (HashAlgorithm::Sha1, "SHA1", Gpgv::NotAsked),
        (HashAlgorithm::Sha224, "SHA224", Gpgv::WouldAccept),
    ] {
        let weak = sign(key, text, hash, usual(key));
        bench.bad(&pin, &bench.message(name, &[weak]), &format!("its digest {name} is too weak"), judge);
    }
    let timeless = sign(key, text, sha512, vec![subpacket(SubpacketData::IssuerFingerprint(key.fingerprint()))]);
    bench.bad(&pin, &bench.message("SHA512", &[timeless]), "it has no creation time", Gpgv::NotAsked);
    let nameless = sign(key, text, sha512, vec![subpacket(SubpacketData::SignatureCreationTime(day()))]);
    bench.bad(&pin, &bench.message("SHA512", &[nameless]), "its maker is not pinned", Gpgv::Agrees);
    for kind in [SignatureType::Standalone, SignatureType::CertGeneric, SignatureType::Timestamp] {
        let other = sign(key, kind, sha512, usual(key));
        bench.bad(&pin, &bench.message("SHA512", &[other]), "it is no signature of a document", Gpgv::Agrees);
    }
    let expiring = SubpacketData::SignatureExpirationTime(Duration::from_secs(60));
    let expired = sign(key, text, sha512, [usual(key), vec![subpacket(expiring)]].concat());
    bench.bad(&pin, &bench.message("SHA512", &[expired]), "it expired at 2024-06-01T00:01:00Z", Gpgv::NotAsked);
    let notice = SubpacketData::Experimental(101, b"x"[..].into());
    let critical = [usual(key), vec![Subpacket::critical(notice).expect("a subpacket")]].concat();
    let critical = sign(key, text, sha512, critical);
    bench.bad(&pin, &bench.message("SHA512", &[critical]), "something critical that is unknown", Gpgv::Agrees);
}

/// One valid signature of a pinned key suffices, wherever it stands; beyond sixteen nobody looks.
#[test]
fn beside_signatures_of_strangers() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let keys = ["pinned", "stranger"].map(|name| bench.gpg.key(name, "ed25519", "sign"));
    let [ours, theirs] = keys.each_ref().map(|key| {
        let secret = bench.secret(key);
        let key = &secret.primary_key;
        sign(key, SignatureType::Text, HashAlgorithm::Sha512, usual(key))
    });
    let ring = bench.keyring(&[&keys[0]]);
    let check = |before: usize, after: usize, is_good: bool| {
        let mut signatures = vec![theirs.clone(); before];
        signatures.push(ours.clone());
        signatures.extend(vec![theirs.clone(); after]);
        let message = bench.message("SHA512", &signatures);
        let verified = trust::clearsigned("InRelease", &message, &ring, now());
        assert_eq!(verified.is_ok(), is_good, "{before} before, {after} after: {verified:?}");
    };
    check(0, 1, true);
    check(1, 0, true);
    check(15, 3, true);
    check(16, 0, false);
    // A stranger's that names the pinned key as its maker is only wrong.
    let secret = bench.secret(&keys[1]);
    let pinned = bench.secret(&keys[0]);
    let lie = sign(&secret.primary_key, SignatureType::Text, HashAlgorithm::Sha512, usual(&pinned.primary_key));
    bench.bad(&keys[0], &bench.message("SHA512", &[lie]), "it does not match the text", Gpgv::Agrees);
}

#[test]
fn bindings_of_subkeys() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let pin = bench.gpg.key("pinned", "rsa2048", "cert");
    let stranger = bench.gpg.key("stranger", "ed25519", "sign");
    let time = ["--faked-system-time", "20240102T000000", "--quick-add-key", &pin, "rsa2048", "sign", "never"];
    bench.gpg.ok(&time, b"");
    let (secret, stranger) = (bench.secret(&pin), bench.secret(&stranger));
    let primary = &secret.primary_key;
    let subkey = &secret.secret_subkeys[0].key;
    let public = secret.to_public_key();
    let message = bench.message("SHA512", &[sign(subkey, SignatureType::Text, HashAlgorithm::Sha512, usual(subkey))]);
    assert_eq!(bench.judged(&public, &message), (Ok(()), true));

    let none = Password::empty();
    let mut flags = KeyFlags::default();
    flags.set_sign(true);
    let back = |signer_time: Timestamp, hash| {
        let hashed = vec![
            subpacket(SubpacketData::SignatureCreationTime(signer_time)),
            subpacket(SubpacketData::IssuerFingerprint(subkey.fingerprint())),
            subpacket(SubpacketData::IssuerKeyId(subkey.legacy_key_id())),
        ];
        let config = config(subkey, SignatureType::KeyBinding, hash, hashed);
        config.sign_primary_key_binding(subkey, subkey.public_key(), &none, primary.public_key()).expect("signed")
    };
    let early = Timestamp::from_secs(day().as_secs() - 86_400);
    let sha512 = HashAlgorithm::Sha512;
    let bind = |more: Vec<SubpacketData>, hash| {
        let mut hashed = vec![
            subpacket(SubpacketData::SignatureCreationTime(early)),
            subpacket(SubpacketData::IssuerFingerprint(primary.fingerprint())),
            subpacket(SubpacketData::IssuerKeyId(primary.legacy_key_id())),
        ];
        hashed.extend(more.into_iter().map(subpacket));
        let config = config(primary, SignatureType::SubkeyBinding, hash, hashed);
        config.sign_subkey_binding(primary, primary.public_key(), &none, subkey.public_key()).expect("signed")
    };
    let embedded = |signature| SubpacketData::EmbeddedSignature(Box::new(signature));
    let flagged = || SubpacketData::KeyFlags(flags.clone());
    let check = |binding: Signature, expect: Option<&str>, judge: Option<bool>| {
        let subkeys = vec![SignedPublicSubKey { key: subkey.public_key().clone(), signatures: vec![binding] }];
        let altered = SignedPublicKey { public_subkeys: subkeys, ..public.clone() };
        let (ours, theirs) = bench.judged(&altered, &message);
        match expect {
            None => assert_eq!(ours, Ok(())),
            Some(part) => assert!(ours.as_ref().is_err_and(|error| error.contains(part)), "{part}: {ours:?}"),
        }
        assert!(judge.is_none_or(|judge| judge == theirs), "{expect:?}: gpgv says {theirs}");
    };
    check(bind(vec![flagged(), embedded(back(early, sha512))], sha512), None, Some(true));
    check(bind(vec![flagged()], sha512), Some("its key has no valid binding"), Some(false));
    check(bind(vec![embedded(back(early, sha512))], sha512), Some("its key is not for signing"), None);
    check(
        bind(vec![flagged(), embedded(back(early, HashAlgorithm::Sha1))], sha512),
        Some("its digest SHA1 is too weak"),
        None,
    );
    check(
        bind(vec![flagged(), embedded(back(early, sha512))], HashAlgorithm::Sha1),
        Some("its key has no valid binding"),
        None,
    );
    let life = SubpacketData::KeyExpirationTime(Duration::from_secs(60));
    check(
        bind(vec![flagged(), life, embedded(back(early, sha512))], sha512),
        Some("its key expired before, at 2024-01-02T00:01:00Z"),
        None,
    );
    // A stranger's word that the subkey is this certificate's.
    let hashed =
        [usual(&stranger.primary_key), vec![subpacket(flagged()), subpacket(embedded(back(early, sha512)))]].concat();
    let foreign = config(&stranger.primary_key, SignatureType::SubkeyBinding, sha512, hashed)
        .sign_subkey_binding(&stranger.primary_key, primary.public_key(), &none, subkey.public_key())
        .expect("signed");
    check(foreign, Some("its key has no valid binding"), Some(false));
}

/// A signature says how it covers a text: that of a clearsigned file is none of a detached one, and the other way round.
#[test]
fn detached_and_clearsigned_are_not_mixed() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key("key", "ed25519", "sign");
    let bench = Bench { gpg };
    let ring = bench.keyring(&[&key]);
    let text = "Suite: test\nOrigin: Test\n";
    let clearsigned = String::from_utf8(bench.gpg.clearsign(&key, text, &[])).expect("text");
    let armor = &clearsigned[clearsigned.find("-----BEGIN PGP SIGNATURE").expect("there")..];
    let error = trust::detached("Release", text.as_bytes(), armor.as_bytes(), &ring, now()).expect_err("clearsigned");
    assert!(error.to_string().ends_with("it does not match the text"), "{error}");
    let [data, signature] = ["data", "data.sig"].map(|name| bench.gpg.folder().join(name));
    fs_err::write(&data, text).expect("writable");
    fs_err::write(&signature, armor).expect("writable");
    assert!(!bench.gpg.gpgv(&bench.gpg.export(&key), &[&signature, &data]), "gpgv agrees");
    for mode in [&[][..], &["--textmode"]] {
        let time = ["--faked-system-time", "20240601T000000", "--armor", "--local-user", &key, "--detach-sign"];
        let detached = String::from_utf8(bench.gpg.ok(&[mode, &time].concat(), text.as_bytes())).expect("text");
        let framed = format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256, SHA512\n\n{text}{detached}");
        bench.bad(&key, framed.as_bytes(), "it does not match the text", Gpgv::Agrees);
        // Two signatures in one file, each in its own armor.
        let twice = format!("{detached}{detached}");
        let error =
            trust::detached("Release", text.as_bytes(), twice.as_bytes(), &ring, now()).expect_err("two blocks");
        assert!(
            error.to_string().contains("Release.gpg: ") && error.to_string().contains("text after the end"),
            "{error}"
        );
    }
}

/// A signature from a key's lifetime counts for ever, as it must for old snapshots; a live mirror's key must be alive today.
#[test]
fn keys_that_have_expired_since() {
    let Some(gpg) = Gpg::new() else { return };
    let bench = Bench { gpg };
    let primary = bench.gpg.key_at("20240101T000000", "primary", "ed25519", "sign", "20240701T000000");
    let owner = bench.gpg.key("owner", "ed25519", "cert");
    let subkey =
        ["--faked-system-time", "20240102T000000", "--quick-add-key", &owner, "ed25519", "sign", "20240701T000000"];
    bench.gpg.ok(&subkey, b"");
    for key in [&primary, &owner] {
        let ring = bench.keyring(&[key]);
        let message = bench.gpg.clearsign(key, TEXT, &[]);
        let verified = trust::clearsigned("InRelease", &message, &ring, now()).expect("it was alive");
        let at = |text| Instant::from_compact(text).expect("a date");
        assert_eq!(ring.stands(verified.evidence(), at("20240615T000000Z")), Ok(()));
        let fault = ring.stands(verified.evidence(), now()).expect_err("expired");
        assert!(fault.to_string().starts_with("its key expired before, at 2024-07-01T"), "{fault}");
    }
}
