//! Pinned OpenPGP certificates: which of their keys was allowed to sign at a given time.
//!
//! rpgp checks the mathematics of each binding; what a binding means (flags, expiry, revocation, strength) is decided
//! here. The newest binding speaks for a key, as in GnuPG. A revocation counts whoever made it: people pin the key
//! files, so a doubtful one is better refused.

use pgp::{
    composed::{SignedPublicKey, SignedPublicKeyParser, SignedPublicSubKey},
    packet::{Packet, PacketParser, Signature, SignatureType, SubpacketData},
    ser::Serialize,
    types::{KeyDetails, PublicParams, Tag},
};

use super::{
    Error, Evidence,
    armor::block,
    signature::{Fault, sound},
};
use crate::{date::Instant, deb::fingerprint::Fingerprint};

/// The certificates that may sign an archive: those whose fingerprint is pinned, and no other of the key files.
#[derive(Debug)]
pub struct Keyring {
    certificates: Vec<(Fingerprint, SignedPublicKey)>,
    /// Names of the key files, for messages.
    files: String,
}

/// The key of a pinned certificate that a signature names as its maker: the primary key or a subkey.
pub(super) struct Candidate<'a> {
    pub(super) certificate: &'a Fingerprint,
    key: &'a SignedPublicKey,
    subkey: Option<&'a SignedPublicSubKey>,
}

const MIN_RSA_BITS: u16 = 2048;

impl Keyring {
    /// Takes the pinned certificates out of armored key files, each given with its name. Every pin must be found.
    pub fn new(pins: &[Fingerprint], files: &[(String, Vec<u8>)]) -> Result<Self, Error> {
        let mut found = Vec::new();
        for (file, bytes) in files {
            found.extend(read(file, bytes)?);
        }
        let files = files.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>().join(", ");
        let certificates = pins.iter().map(|pin| {
            let key = found.iter().find(|key| key.fingerprint().as_bytes() == pin.as_bytes());
            key.map(|key| (pin.clone(), key.clone()))
                .ok_or_else(|| Error::NoKey { pin: pin.clone(), files: files.clone() })
        });
        Ok(Self { certificates: certificates.collect::<Result<_, _>>()?, files })
    }

    /// Whether the key that signed could sign still. A live mirror has no use for one that couldn't, but whoever got hold of it later
    /// can put any date on a signature.
    pub fn stands(&self, evidence: &Evidence, now: Instant) -> Result<(), Fault> {
        let (certificate, key) =
            self.certificates.iter().find(|(pin, _)| *pin == evidence.signer).ok_or(Fault::NotPinned)?;
        let is_it = |subkey: &&SignedPublicSubKey| subkey.key.fingerprint().as_bytes() == evidence.key.as_bytes();
        Candidate { certificate, key, subkey: key.public_subkeys.iter().find(is_it) }.could_sign(now)
    }

    pub(super) fn files(&self) -> &str {
        &self.files
    }

    /// The pinned key that `signature` names.
    pub(super) fn candidate(&self, signature: &Signature) -> Option<Candidate<'_>> {
        let fingerprints = signature.issuer_fingerprint();
        let ids = signature.issuer_key_id();
        let made_by = |key: &dyn KeyDetails| {
            if fingerprints.is_empty() {
                ids.contains(&&key.legacy_key_id())
            } else {
                fingerprints.contains(&&key.fingerprint())
            }
        };
        self.certificates.iter().find_map(|(certificate, key)| {
            if made_by(&key.primary_key) {
                return Some(Candidate { certificate, key, subkey: None });
            }
            let subkey = key.public_subkeys.iter().find(|subkey| made_by(&subkey.key))?;
            Some(Candidate { certificate, key, subkey: Some(subkey) })
        })
    }
}

/// The certificates of a key file.
fn read(file: &str, bytes: &[u8]) -> Result<Vec<SignedPublicKey>, Error> {
    let framing = |source| Error::Framing { file: file.to_owned(), source };
    let bad = |source| Error::KeyFile { file: file.to_owned(), source: Box::new(source) };
    let packets = block(bytes, "PUBLIC KEY BLOCK").map_err(framing)?;
    let packets = PacketParser::new(packets.as_slice()).collect::<Result<Vec<_>, _>>().map_err(bad)?;
    let is_revocation = |signature: &Signature| {
        matches!(signature.typ(), Some(SignatureType::KeyRevocation | SignatureType::SubkeyRevocation))
    };
    let written = packets.iter().filter(|packet| matches!(packet, Packet::Signature(s) if is_revocation(s))).count();
    let keys = SignedPublicKeyParser::from_packets(packets.into_iter().map(Ok).peekable());
    let keys = keys.collect::<Result<Vec<_>, _>>().map_err(bad)?;
    // rpgp drops signatures that stand in the wrong place; a revocation must not get lost that way.
    let kept = keys.iter().map(|key| {
        let subkeys = key.public_subkeys.iter().flat_map(|subkey| &subkey.signatures);
        key.details.revocation_signatures.len() + subkeys.filter(|signature| is_revocation(signature)).count()
    });
    if kept.sum::<usize>() != written {
        return Err(Error::MisplacedRevocation { file: file.to_owned() });
    }
    Ok(keys)
}

impl Candidate<'_> {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let fingerprint = match self.subkey {
            None => self.key.primary_key.fingerprint(),
            Some(subkey) => subkey.key.fingerprint(),
        };
        Fingerprint::from_bytes(fingerprint.as_bytes()).unwrap_or_else(|_| self.certificate.clone())
    }

    /// Whether the mathematics of `signature` over `signed` holds.
    pub(super) fn verifies(&self, signature: &Signature, signed: &[u8]) -> bool {
        match self.subkey {
            None => signature.verify(&self.key.primary_key, signed).is_ok(),
            Some(subkey) => signature.verify(&subkey.key, signed).is_ok(),
        }
    }

    /// Whether the key could sign at `time`, and whether its certificate stands today.
    pub(super) fn could_sign(&self, time: Instant) -> Result<(), Fault> {
        if !self.key.details.revocation_signatures.is_empty() {
            return Err(Fault::Revoked);
        }
        let (direct, users) = self.self_signatures();
        let flagged = newest(users.iter().chain(&direct).copied().filter(|signature| has_flags(signature)), time);
        let flagged = flagged.ok_or(Fault::NoBinding)?;
        let direct = newest(direct.iter().copied(), time);
        strong(self.key.primary_key.public_params())?;
        for binding in [Some(flagged), direct].into_iter().flatten() {
            alive(&self.key.primary_key, binding, time)?;
        }
        match self.subkey {
            None if flagged.key_flags().sign() => Ok(()),
            None => Err(Fault::MayNotSign),
            Some(subkey) => self.subkey_could_sign(subkey, time),
        }
    }

    fn subkey_could_sign(&self, subkey: &SignedPublicSubKey, time: Instant) -> Result<(), Fault> {
        let primary = &self.key.primary_key;
        if subkey.signatures.iter().any(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation)) {
            return Err(Fault::Revoked);
        }
        strong(subkey.key.public_params())?;
        let bindings = subkey.signatures.iter().filter(|signature| {
            signature.typ() == Some(SignatureType::SubkeyBinding)
                && sound(signature).is_ok()
                && signature.verify_subkey_binding(primary, &subkey.key).is_ok()
        });
        let binding = newest(bindings, time).ok_or(Fault::NoBinding)?;
        alive(&subkey.key, binding, time)?;
        if !binding.key_flags().sign() {
            return Err(Fault::MayNotSign);
        }
        // Without the subkey's own word, anybody's signing key could be adopted as one's own.
        let back = binding.embedded_signature().ok_or(Fault::NoBinding)?;
        sound(back)?;
        back.verify_primary_key_binding(&subkey.key, primary).map_err(|_| Fault::NoBinding)
    }

    /// What the primary key says about itself, checked: on the key, and on its user ids.
    fn self_signatures(&self) -> (Vec<&Signature>, Vec<&Signature>) {
        let primary = &self.key.primary_key;
        let direct = self.key.details.direct_signatures.iter();
        let direct = direct.filter(|signature| sound(signature).is_ok() && signature.verify_key(primary).is_ok());
        let mut users = Vec::new();
        for user in &self.key.details.users {
            let own = user.signatures.iter();
            let own = own.filter(|signature| signature.verify_certification(primary, Tag::UserId, &user.id).is_ok());
            let own: Vec<_> = own.collect();
            if own.iter().all(|signature| signature.typ() != Some(SignatureType::CertRevocation)) {
                users.extend(own.into_iter().filter(|signature| sound(signature).is_ok()));
            }
        }
        (direct.collect(), users)
    }
}

fn has_flags(signature: &Signature) -> bool {
    let subpackets = signature.config().into_iter().flat_map(|config| config.hashed_subpackets());
    subpackets.into_iter().any(|subpacket| matches!(subpacket.data, SubpacketData::KeyFlags(_)))
}

/// The newest binding that has not expired by `time` itself.
fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>, time: Instant) -> Option<&'a Signature> {
    let made = signatures.filter_map(|signature| Some((sound(signature).ok()?, signature)));
    let valid = made.filter(|(_, signature)| super::signature::expiry(signature).is_none_or(|end| time < end));
    valid.max_by_key(|(created, _)| *created).map(|(_, signature)| signature)
}

/// Whether `time` lies in the life that `binding` gives to `key`.
fn alive(key: &dyn KeyDetails, binding: &Signature, time: Instant) -> Result<(), Fault> {
    let created = Instant::from_seconds(key.created_at().as_secs().into());
    if time < created {
        return Err(Fault::BeforeKey { created });
    }
    // A life of 0 seconds is an endless one (RFC 9580 §5.2.3.13).
    match binding.key_expiration_time().map(|life| life.as_secs()).filter(|life| *life != 0) {
        Some(life) if created.plus(life.into()) <= time => Err(Fault::KeyExpired { at: created.plus(life.into()) }),
        _ => Ok(()),
    }
}

/// RSA from 2,048 bits on and the elliptic curves; DSA and whatever else there may be is refused.
fn strong(key: &PublicParams) -> Result<(), Fault> {
    match key {
        PublicParams::RSA(rsa) => {
            let mut integers = Vec::new();
            let written = rsa.to_writer(&mut integers).is_ok();
            let bits = integers.first_chunk().map_or(0, |count| u16::from_be_bytes(*count));
            if written && bits >= MIN_RSA_BITS { Ok(()) } else { Err(Fault::ShortKey { bits }) }
        }
        PublicParams::ECDSA(_) | PublicParams::EdDSALegacy(_) | PublicParams::Ed25519(_) | PublicParams::Ed448(_) => {
            Ok(())
        }
        _ => Err(Fault::WeakKey),
    }
}
