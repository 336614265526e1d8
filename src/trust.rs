//! Trust in an archive: only the text that a pinned key signed comes out, and only as [`Verified`].
//!
//! rpgp checks the mathematics; the policy is ours, because rpgp alone accepts revoked keys, expired signatures and
//! SHA-1. One valid signature by a pinned certificate suffices.

mod armor;
mod claims;
mod keyring;
mod signature;

use pgp::packet::{Packet, PacketParser};

pub use self::{
    armor::FramingError,
    claims::{ClaimError, Freshness, check as check_claims},
    keyring::Keyring,
    signature::{Fault, Faults},
};
use crate::{date::Instant, deb::fingerprint::Fingerprint, digest::Sha256};

/// Signatures beyond which a file isn't looked at; Debian's carry up to three.
const MAX_SIGNATURES: usize = 16;

/// A text that a pinned key signed. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    text: String,
    evidence: Evidence,
}

/// Where the trust in a text comes from, for the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Digest of the file that was read: InRelease, or Release beside a detached signature.
    pub digest: Sha256,
    /// Digest of the detached signature's file.
    pub signature: Option<Sha256>,
    /// The pinned certificate.
    pub signer: Fingerprint,
    /// The key of the certificate that made the signature; often a subkey.
    pub key: Fingerprint,
    pub signed_at: Instant,
}

impl Verified {
    /// What was signed, with `\n` line ends, escapes and trailing blanks removed.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// Why a file is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{file}: {source}")]
    Framing { file: String, source: FramingError },
    #[error("{file}: not signed by a pinned key of {keys}: {faults}")]
    Untrusted { file: String, keys: String, faults: Faults },
    #[error("{file}: signed by {key}, and today {fault}")]
    KeyEnded { file: String, key: Fingerprint, fault: Fault },
    #[error("{file}: no public key")]
    KeyFile { file: String, source: Box<pgp::errors::Error> },
    #[error("{file}: a revocation stands in the wrong place")]
    MisplacedRevocation { file: String },
    #[error("key {pin} is pinned, but not in {files}")]
    NoKey { pin: Fingerprint, files: String },
}

/// Checks a clearsigned file such as InRelease. `file` is its name in messages.
pub fn clearsigned(file: &str, bytes: &[u8], keyring: &Keyring, now: Instant) -> Result<Verified, Error> {
    let framing = |source| Error::Framing { file: file.to_owned(), source };
    let message = armor::clearsigned(bytes).map_err(framing)?;
    let signed = message.lines.join("\r\n");
    let signer = first_good(&message.signatures, signed.as_bytes(), Some(&message.hashes), keyring, now)
        .map_err(|faults| untrusted(file, keyring, faults))?;
    let mut text = message.lines.join("\n");
    text.push('\n');
    Ok(Verified { text, evidence: evidence(signer, bytes, None) })
}

/// Checks a file against its armored detached signature: Release and Release.gpg.
pub fn detached(
    file: &str,
    bytes: &[u8],
    signature: &[u8],
    keyring: &Keyring,
    now: Instant,
) -> Result<Verified, Error> {
    let framing = |file: &str| {
        let file = file.to_owned();
        move |source| Error::Framing { file, source }
    };
    let text = armor::plain(bytes).map_err(framing(file))?;
    let packets = armor::block(signature, "SIGNATURE").map_err(framing(&format!("{file}.gpg")))?;
    let signer = first_good(&packets, bytes, None, keyring, now).map_err(|faults| untrusted(file, keyring, faults))?;
    Ok(Verified { text: text.to_owned(), evidence: evidence(signer, bytes, Some(signature)) })
}

fn untrusted(file: &str, keyring: &Keyring, faults: Faults) -> Error {
    Error::Untrusted { file: file.to_owned(), keys: keyring.files().to_owned(), faults }
}

fn evidence(signer: signature::Signer, bytes: &[u8], detached: Option<&[u8]>) -> Evidence {
    Evidence {
        digest: Sha256::of(bytes),
        signature: detached.map(Sha256::of),
        signer: signer.certificate,
        key: signer.key,
        signed_at: signer.signed_at,
    }
}

/// The maker of the first signature that counts, or why none does.
fn first_good(
    packets: &[u8],
    signed: &[u8],
    announced: signature::Announced<'_>,
    keyring: &Keyring,
    now: Instant,
) -> Result<signature::Signer, Faults> {
    let mut faults = Vec::new();
    for packet in PacketParser::new(packets).take(MAX_SIGNATURES) {
        match packet {
            Ok(Packet::Signature(signature)) => match signature::check(&signature, signed, announced, keyring, now) {
                Ok(signer) => return Ok(signer),
                Err(fault) => faults.push((signature::maker(&signature), fault)),
            },
            Ok(_) | Err(_) => faults.push((None, Fault::Unreadable)),
        }
    }
    Err(Faults(faults))
}
