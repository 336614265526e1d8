//! The label that a path gets: `file_contexts(5)` and its companions, matched as `selabel_lookup(3)` matches them.
//!
//! The last entry that matches counts, entries without special characters after all others. An entry's stem, its first folder
//! when that is plain, is compared on its own, and what follows is a pattern of PCRE's between `^` and `$`. The patterns are
//! put in terms of the `regex` crate; what means something else there, or is not known to mean the same, is an error.

use regex::bytes::{Regex, RegexBuilder};

use super::{Context, Error, Kind, contexts::split};
use crate::tree::{Inode, Node};

mod pattern;

/// The attribute that the kernel reads.
pub const ATTRIBUTE: &[u8] = b"security.selinux";

/// What the policy says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'a> {
    Context(&'a [u8]),
    /// `<<none>>`: whatever label there is stays.
    Keep,
    /// No entry matches.
    Absent,
}

#[derive(Debug)]
struct Spec {
    stem: Option<Vec<u8>>,
    kind: Option<Kind>,
    matcher: Matcher,
    /// `None` for `<<none>>`.
    context: Option<Box<[u8]>>,
}

#[derive(Debug)]
enum Matcher {
    /// A whole path.
    Plain(Vec<u8>),
    /// Of what follows the stem: bytes that each match begins with, and the pattern.
    Pattern { prefix: Vec<u8>, regex: Regex },
}

/// One path in place of the beginning of another.
#[derive(Debug)]
struct Substitution {
    from: Vec<u8>,
    to: Vec<u8>,
}

/// A policy's labels of files.
#[derive(Debug, Default)]
pub struct Labels {
    /// In the order of precedence, the last first.
    specs: Vec<Spec>,
    /// `file_contexts.subs`, then what the distribution brings; in each the last line counts.
    substitutions: [Vec<Substitution>; 2],
}

/// The files of a policy that tell labels; one that isn't there is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    pub file_contexts: &'a [u8],
    pub homedirs: &'a [u8],
    pub local: &'a [u8],
    pub subs: &'a [u8],
    pub subs_dist: &'a [u8],
}

impl Labels {
    pub fn new(files: &Files<'_>) -> Result<Self, Error> {
        let (mut patterns, mut plain) = (Vec::new(), Vec::new());
        for line in [files.file_contexts, files.homedirs, files.local].iter().flat_map(|text| lines(text)) {
            let spec = Spec::parse(line)?;
            let list = if matches!(spec.matcher, Matcher::Plain(_)) { &mut plain } else { &mut patterns };
            list.push(spec);
        }
        let specs = patterns.into_iter().chain(plain).rev().collect();
        Ok(Self { specs, substitutions: [substitutions(files.subs)?, substitutions(files.subs_dist)?] })
    }

    /// The label of a path that begins with a slash; entries for other kinds of files don't count.
    pub fn lookup(&self, path: &[u8], kind: Kind) -> Label<'_> {
        let mut key = without_double_slashes(path);
        for list in &self.substitutions {
            let found = list.iter().find_map(|one| {
                let rest = key.strip_prefix(one.from.as_slice())?;
                matches!(rest.first(), None | Some(b'/')).then(|| [one.to.as_slice(), rest].concat())
            });
            key = found.unwrap_or(key);
        }
        let stem = key.iter().skip(1).position(|&b| b == b'/').map(|slash| key.split_at(slash + 1));
        let matches = |spec: &&Spec| spec.kind.is_none_or(|wanted| wanted == kind) && spec.matches(&key, stem);
        match self.specs.iter().find(matches) {
            None => Label::Absent,
            Some(Spec { context: None, .. }) => Label::Keep,
            Some(Spec { context: Some(context), .. }) => Label::Context(context),
        }
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

fn fields(line: &[u8]) -> Vec<&[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect()
}

impl Spec {
    fn parse(line: &[u8]) -> Result<Self, Error> {
        let (pattern, kind, label) = split(line)?.ok_or_else(|| Error::line(line, "not two or three fields"))?;
        let context = match label {
            b"<<none>>" => None,
            _ if Context::parse(label).is_none() => return Err(Error::line(line, "no label with levels")),
            _ => Some(label.into()),
        };
        // Refused by libselinux too.
        if !line.is_ascii() {
            return Err(Error::line(line, "a character outside ASCII"));
        }
        let odd = |why: String| Error::line(line, why);
        if let Some(path) = pattern::plain(pattern).map_err(odd)? {
            return Ok(Self { stem: None, kind, matcher: Matcher::Plain(path), context });
        }
        let length = pattern::stem(pattern);
        let stem = (length > 0).then(|| pattern[..length].to_vec());
        let (prefix, text) = pattern::translate(&pattern[length..]).map_err(odd)?;
        let regex = RegexBuilder::new(&text).unicode(false).dot_matches_new_line(true).build();
        let regex = regex.map_err(|error| odd(error.to_string()))?;
        Ok(Self { stem, kind, matcher: Matcher::Pattern { prefix, regex }, context })
    }

    /// `stem` is the path's first folder and the rest.
    fn matches(&self, path: &[u8], stem: Option<(&[u8], &[u8])>) -> bool {
        match &self.matcher {
            // PCRE's `$` stands before a newline at the end as well.
            Matcher::Plain(plain) => path == plain || path.strip_suffix(b"\n").is_some_and(|path| path == plain),
            Matcher::Pattern { prefix, regex } => {
                let text = match &self.stem {
                    None => path,
                    Some(wanted) => match stem {
                        Some((first, rest)) if first == wanted => rest,
                        _ => return false,
                    },
                };
                text.starts_with(prefix) && regex.is_match(text)
            }
        }
    }
}

fn substitutions(text: &[u8]) -> Result<Vec<Substitution>, Error> {
    let mut list = Vec::new();
    for line in lines(text) {
        let [from, to] = fields(line)[..] else { return Err(Error::line(line, "not two paths")) };
        list.insert(0, Substitution { from: from.to_vec(), to: to.to_vec() });
    }
    Ok(list)
}

fn without_double_slashes(path: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(path.len());
    for &byte in path {
        if byte != b'/' || clean.last() != Some(&b'/') {
            clean.push(byte);
        }
    }
    clean
}

/// The kind that an inode is to the policy.
pub fn kind(inode: &Inode) -> Kind {
    match inode.node {
        Node::Directory(_) => Kind::Directory,
        Node::Regular(_) => Kind::Regular,
        Node::Symlink(_) => Kind::Symlink,
        Node::CharDevice(_) => Kind::CharDevice,
        Node::BlockDevice(_) => Kind::BlockDevice,
        Node::Fifo => Kind::Fifo,
        Node::Socket => Kind::Socket,
    }
}
