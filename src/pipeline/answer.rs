//! What a request comes to, and remembering that: the same request on the same signed indexes has the same answer.

use super::{Asked, Named, Session, local::LocalDeb};
use crate::{
    digest::{Hasher, Sha256},
    fetch::{VerifiedIndex, Wanted},
    manifest::base::Base,
};

/// To be raised whenever the resolver may answer otherwise than before.
const RESOLVER: u64 = 2;

/// The packages of a request, and the files that they are in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Answer {
    pub(super) named: Vec<Named>,
    pub(super) wanted: Vec<Wanted>,
}

/// A digest of everything that an answer follows from: resolver, indexes, preferences, request.
pub(super) fn key(base: &Base, indexes: &[VerifiedIndex], asked: &Asked, own: &[LocalDeb]) -> Sha256 {
    let mut hasher = Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(&RESOLVER.to_le_bytes());
    add(env!("CARGO_PKG_VERSION").as_bytes());
    add(base.architectures().join(" ").as_bytes());
    add(format!("{:?}", base.pins).as_bytes());
    if let Some(hold) = &base.hold {
        add(format!("{hold:?}").as_bytes());
    }
    add(&(indexes.len() as u64).to_le_bytes());
    for index in indexes {
        let release = &index.release;
        for text in [&release.archive, &release.suite, &index.component, &index.architecture, &index.path] {
            add(text.as_bytes());
        }
        add(&release.evidence.digest.0);
        add(&index.entry.sha256.0);
    }
    add(&[u8::from(asked.recommends), u8::from(asked.essential), u8::from(asked.required)]);
    add(&(own.len() as u64).to_le_bytes());
    for deb in own {
        add(deb.stanza());
    }
    for package in &asked.packages {
        add(package.as_bytes());
    }
    hasher.finish()
}

/// The answer that is remembered, if it can be read.
pub(super) fn known(session: &Session<'_>, key: &Sha256) -> Option<Answer> {
    serde_json::from_slice(&session.store.answer(key)?).ok()
}

pub(super) fn keep(session: &Session<'_>, key: &Sha256, answer: &Answer) -> super::Result<()> {
    let text = serde_json::to_vec(answer).expect("names, numbers and digests have a form in JSON");
    Ok(session.store.keep_answer(key, &text)?)
}
