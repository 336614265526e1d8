//! The policy for one signature: what it must be, beyond being mathematically right.

use std::{collections::BTreeSet, fmt};

use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureType, SignatureVersion, SubpacketData},
};

use super::keyring::Keyring;
use crate::{date::Instant, deb::fingerprint::Fingerprint};

/// How far a signer's clock may run ahead of this machine's.
const CLOCK_SKEW: i64 = 86_400;

/// Why a signature doesn't count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("its packet is unreadable")]
    Unreadable,
    #[error("its maker is not pinned")]
    NotPinned,
    #[error("its version is neither 4 nor 6")]
    Version,
    #[error("it is no signature of a document")]
    Kind,
    #[error("its digest {0} is too weak")]
    WeakDigest(String),
    #[error("its digest {0} is not announced in the header")]
    Unannounced(String),
    #[error("it has no creation time")]
    NoTime,
    #[error("it says something critical that is unknown here")]
    Critical,
    #[error("it was made in the future, at {at}")]
    Future { at: Instant },
    #[error("it expired at {at}")]
    Expired { at: Instant },
    #[error("its key is revoked")]
    Revoked,
    #[error("its key has no valid binding")]
    NoBinding,
    #[error("its key is not for signing")]
    MayNotSign,
    #[error("its key was made later, at {created}")]
    BeforeKey { created: Instant },
    #[error("its key expired before, at {at}")]
    KeyExpired { at: Instant },
    #[error("its RSA key has {bits} bits, fewer than 2048")]
    ShortKey { bits: u16 },
    #[error("its key is of a weak or unknown kind")]
    WeakKey,
    #[error("it does not match the text")]
    Wrong,
}

/// Who signed, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signer {
    pub(super) certificate: Fingerprint,
    pub(super) key: Fingerprint,
    pub(super) signed_at: Instant,
}

/// Digests that a clearsigned message announces; a detached signature announces none and needs none.
pub(super) type Announced<'a> = Option<&'a BTreeSet<&'a str>>;

/// Checks one signature over `signed`, the text with CRLF line ends when it was clearsigned.
pub(super) fn check(
    signature: &Signature,
    signed: &[u8],
    announced: Announced<'_>,
    keyring: &Keyring,
    now: Instant,
) -> Result<Signer, Fault> {
    let candidate = keyring.candidate(signature).ok_or(Fault::NotPinned)?;
    let signed_at = sound(signature)?;
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(Fault::Kind);
    }
    let digest = signature.hash_alg().map(|digest| digest.to_string()).unwrap_or_default();
    if announced.is_some_and(|names| !names.contains(digest.as_str())) {
        return Err(Fault::Unannounced(digest));
    }
    if now.plus(CLOCK_SKEW) < signed_at {
        return Err(Fault::Future { at: signed_at });
    }
    if let Some(at) = expiry(signature).filter(|at| *at <= now) {
        return Err(Fault::Expired { at });
    }
    candidate.could_sign(signed_at)?;
    if !candidate.verifies(signature, signed) {
        return Err(Fault::Wrong);
    }
    Ok(Signer { certificate: candidate.certificate.clone(), key: candidate.fingerprint(), signed_at })
}

/// What every signature must be, a binding too: of a known version, with a strong digest and without unknown critical
/// statements. Returns when it was made.
pub(super) fn sound(signature: &Signature) -> Result<Instant, Fault> {
    if !matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6) {
        return Err(Fault::Version);
    }
    let config = signature.config().ok_or(Fault::Version)?;
    match config.hash_alg {
        HashAlgorithm::Sha256
        | HashAlgorithm::Sha384
        | HashAlgorithm::Sha512
        | HashAlgorithm::Sha3_256
        | HashAlgorithm::Sha3_512 => {}
        weak => return Err(Fault::WeakDigest(weak.to_string())),
    }
    // RFC 9580 §5.2.3.7: whoever doesn't understand a critical subpacket must not use the signature.
    let unknown = |data: &SubpacketData| {
        matches!(
            data,
            SubpacketData::Notation(_)
                | SubpacketData::RegularExpression(_)
                | SubpacketData::TrustSignature(..)
                | SubpacketData::IntendedRecipientFingerprint(_)
                | SubpacketData::SignatureTarget(..)
                | SubpacketData::Experimental(..)
                | SubpacketData::Other(..)
        )
    };
    if config.hashed_subpackets().any(|subpacket| subpacket.is_critical && unknown(&subpacket.data)) {
        return Err(Fault::Critical);
    }
    let created = config.created().ok_or(Fault::NoTime)?;
    Ok(Instant::from_seconds(created.as_secs().into()))
}

/// When a signature ceases to count by its own word.
pub(super) fn expiry(signature: &Signature) -> Option<Instant> {
    let life = signature.signature_expiration_time().map(|life| life.as_secs()).filter(|life| *life != 0)?;
    Some(Instant::from_seconds(signature.created()?.as_secs().into()).plus(life.into()))
}

/// The faults of all signatures of a file, each with the key that it names.
#[derive(Debug, PartialEq, Eq)]
pub struct Faults(pub(super) Vec<(Option<String>, Fault)>);

impl Faults {
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter().map(|(_, fault)| fault)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there is no signature");
        }
        for (index, (maker, fault)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}signature by {}: {fault}", maker.as_deref().unwrap_or("an unnamed key"))?;
        }
        Ok(())
    }
}

/// The key that a signature says it was made with, for messages.
pub(super) fn maker(signature: &Signature) -> Option<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let fingerprint = signature.issuer_fingerprint().first().map(|fingerprint| hex(fingerprint.as_bytes()));
    fingerprint.or_else(|| signature.issuer_key_id().first().map(|id| hex(id.as_ref())))
}
