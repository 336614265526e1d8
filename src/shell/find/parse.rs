//! The command line of `find` into a [`Query`].

use super::{Action, Batch, Count, Expression, Follow, Glob, Output, Permissions, Query, Test};
use crate::{
    shell::{
        Fatal, Process, accounts, date,
        files::show,
        mode::Mode,
        regex::{Flavour, Regex, Surrounded},
        size::number,
    },
    tree::Timestamp,
};

/// Parentheses inside parentheses.
const MAX_DEPTH: u32 = 200;

/// Why a command line is none.
#[derive(Debug)]
pub(in crate::shell) enum Stop {
    Fatal(Fatal),
    Error(String),
}

type Parsed<T> = Result<T, Stop>;

fn fail<T>(message: String) -> Parsed<T> {
    Err(Stop::Error(message))
}

pub(in crate::shell) fn parse(process: &Process<'_>) -> Parsed<Query> {
    let mut words = process.arguments();
    let mut follow = Follow::Never;
    while let Some(option) = words.first().filter(|word| matches!(word.as_slice(), b"-H" | b"-L" | b"-P")) {
        follow = match option.as_slice() {
            b"-H" => Follow::Operands,
            b"-L" => Follow::Always,
            _ => Follow::Never,
        };
        words.remove(0);
    }
    let begins = |word: &[u8]| (word.len() > 1 && word[0] == b'-') || matches!(word, b"(" | b"!" | b")" | b",");
    let count = words.iter().position(|word| begins(word)).unwrap_or(words.len());
    let mut starts: Vec<_> = words.drain(..count).collect();
    if starts.is_empty() {
        starts.push(b".".to_vec());
    }
    let query = Query {
        starts,
        follow,
        expression: Expression::True,
        min_depth: 0,
        max_depth: u64::MAX,
        depth_first: false,
        batches: Vec::new(),
        outputs: Vec::new(),
    };
    let mut parser = Parser { process, words, at: 0, query, acts: false, dialect: Dialect::Emacs, depth: 0 };
    let mut expression = Expression::True;
    if !parser.words.is_empty() {
        expression = parser.list()?;
        if let Some(word) = parser.words.get(parser.at) {
            return fail(format!("you have too many '{}'", show(word)));
        }
    }
    if !parser.acts {
        let print = Expression::Action(Action::Print(Output::Standard, b'\n'));
        expression = Expression::And(Box::new(expression), Box::new(print));
    }
    Ok(Query { expression, ..parser.query })
}

/// The syntax of `-regex`.
#[derive(Clone, Copy, Debug)]
enum Dialect {
    Emacs,
    Basic,
    Extended,
}

struct Parser<'p, 'm> {
    process: &'p Process<'m>,
    words: Vec<Vec<u8>>,
    at: usize,
    query: Query,
    /// Whether an action was seen that takes the place of printing.
    acts: bool,
    dialect: Dialect,
    depth: u32,
}

impl Parser<'_, '_> {
    fn take(&mut self, words: &[&str]) -> bool {
        let found = self.words.get(self.at).is_some_and(|word| words.iter().any(|w| w.as_bytes() == word));
        self.at += usize::from(found);
        found
    }

    fn list(&mut self) -> Parsed<Expression> {
        let mut left = self.or()?;
        while self.take(&[","]) {
            left = Expression::List(Box::new(left), Box::new(self.or()?));
        }
        Ok(left)
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut left = self.and()?;
        while self.take(&["-o", "-or"]) {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.not()?;
        loop {
            if !self.take(&["-a", "-and"]) {
                let ends =
                    self.words.get(self.at).is_none_or(|word| matches!(word.as_slice(), b"-o" | b"-or" | b"," | b")"));
                if ends {
                    return Ok(left);
                }
            }
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
    }

    fn not(&mut self) -> Parsed<Expression> {
        let mut negated = false;
        while self.take(&["!", "-not"]) {
            negated = !negated;
        }
        let inner = self.primary()?;
        Ok(if negated { Expression::Not(Box::new(inner)) } else { inner })
    }

    fn primary(&mut self) -> Parsed<Expression> {
        if self.take(&["("]) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(Stop::Fatal(Fatal::Limit { what: "nested parentheses", limit: MAX_DEPTH.into() }));
            }
            let inner = self.list()?;
            self.depth -= 1;
            if !self.take(&[")"]) {
                return fail("I was expecting to find a ')' somewhere but did not see one.".to_owned());
            }
            return Ok(inner);
        }
        let Some(word) = self.words.get(self.at).cloned() else {
            return fail("expected an expression after an operator".to_owned());
        };
        self.at += 1;
        let name = show(&word);
        if matches!(name.as_str(), "-o" | "-or" | "-a" | "-and" | "," | ")") {
            return fail(format!("invalid expression; you have used '{name}' with nothing before it"));
        }
        if !name.starts_with('-') {
            return fail(format!("paths must precede expression: '{name}'"));
        }
        if self.option(&name)? {
            return Ok(Expression::True);
        }
        if let Some(action) = self.action(&name)? {
            self.acts |= !matches!(action, Action::Prune | Action::Quit);
            return Ok(Expression::Action(action));
        }
        match self.test(&name)? {
            Some(test) => Ok(Expression::Test(test)),
            None if matches!(name.as_str(), "-true" | "-readable" | "-writable") => Ok(Expression::True),
            None => Err(Stop::Fatal(self.process.not_modelled(format!("`{name}`")))),
        }
    }

    fn argument(&mut self, name: &str) -> Parsed<Vec<u8>> {
        let argument = self.words.get(self.at).cloned();
        self.at += 1;
        argument.ok_or_else(|| Stop::Error(format!("missing argument to '{name}'")))
    }

    /// Options that stand among the tests; true when it was one.
    fn option(&mut self, name: &str) -> Parsed<bool> {
        match name {
            "-maxdepth" | "-mindepth" => {
                let text = self.argument(name)?;
                let Some(depth) = number(&text) else {
                    return fail(format!(
                        "Expected a positive decimal integer argument to {name}, but got '{}'",
                        show(&text)
                    ));
                };
                *(if name == "-maxdepth" { &mut self.query.max_depth } else { &mut self.query.min_depth }) = depth;
            }
            "-depth" | "-d" => self.query.depth_first = true,
            "-follow" => self.query.follow = Follow::Always,
            // A tree is one file system.
            "-xdev" | "-mount" | "-noleaf" | "-warn" | "-nowarn" | "-ignore_readdir_race" => {}
            "-regextype" => {
                let text = self.argument(name)?;
                self.dialect = match text.as_slice() {
                    b"emacs" | b"findutils-default" => Dialect::Emacs,
                    b"posix-basic" | b"grep" | b"sed" | b"ed" => Dialect::Basic,
                    b"posix-extended" | b"posix-egrep" | b"egrep" => Dialect::Extended,
                    other => return Err(Stop::Fatal(self.process.not_modelled(format!("-regextype {}", show(other))))),
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn action(&mut self, name: &str) -> Parsed<Option<Action>> {
        Ok(Some(match name {
            "-print" => Action::Print(Output::Standard, b'\n'),
            "-print0" => Action::Print(Output::Standard, 0),
            "-printf" => Action::Format(Output::Standard, self.argument(name)?),
            "-fprint" => Action::Print(self.output(name)?, b'\n'),
            "-fprint0" => Action::Print(self.output(name)?, 0),
            "-fprintf" => {
                let output = self.output(name)?;
                Action::Format(output, self.argument(name)?)
            }
            "-exec" | "-execdir" => self.command(name)?,
            "-delete" => {
                self.query.depth_first = true;
                Action::Delete
            }
            "-prune" => Action::Prune,
            "-quit" => Action::Quit,
            _ => return Ok(None),
        }))
    }

    fn output(&mut self, name: &str) -> Parsed<Output> {
        let path = self.argument(name)?;
        let known = self.query.outputs.iter().position(|output| *output == path);
        Ok(Output::File(known.unwrap_or_else(|| {
            self.query.outputs.push(path);
            self.query.outputs.len() - 1
        })))
    }

    /// The words of a command up to `;`, or to `+` behind `{}`.
    fn command(&mut self, name: &str) -> Parsed<Action> {
        let in_folder = name == "-execdir";
        let mut command: Vec<Vec<u8>> = Vec::new();
        loop {
            let word = self.argument(name)?;
            let many = word == b"+" && command.last().is_some_and(|last| last == b"{}");
            if many {
                command.pop();
                self.query.batches.push(Batch { command, in_folder });
                return Ok(Action::Collect(self.query.batches.len() - 1));
            }
            if word == b";" {
                if command.is_empty() {
                    return fail(format!("missing argument to '{name}'"));
                }
                return Ok(Action::Run { command, in_folder });
            }
            command.push(word);
        }
    }

    // table: one arm a test
    fn test(&mut self, name: &str) -> Parsed<Option<Test>> {
        let glob = |pattern, name: &str| Glob { pattern, fold_case: name.starts_with("-i") };
        Ok(Some(match name {
            "-false" => Test::False,
            "-name" | "-iname" => Test::Name(glob(self.argument(name)?, name)),
            "-path" | "-ipath" | "-wholename" | "-iwholename" => Test::Path(glob(self.argument(name)?, name)),
            "-lname" | "-ilname" => Test::LinkName(glob(self.argument(name)?, name)),
            "-regex" | "-iregex" => Test::Regex(self.regex(name)?),
            "-type" => Test::Kind(self.kinds(name)?),
            "-xtype" => Test::OtherKind(self.kinds(name)?),
            "-perm" => Test::Permissions(self.permissions(name)?),
            "-user" => {
                let text = self.argument(name)?;
                match accounts::uid(&self.process.machine.tree, &text) {
                    Some(uid) => Test::Owner(uid),
                    None => return fail(format!("'{}' is not the name of a known user", show(&text))),
                }
            }
            "-group" => {
                let text = self.argument(name)?;
                match accounts::gid(&self.process.machine.tree, &text) {
                    Some(gid) => Test::Group(gid),
                    None => return fail(format!("'{}' is not the name of an existing group", show(&text))),
                }
            }
            "-uid" => Test::OwnerNumber(self.count(name)?),
            "-gid" => Test::GroupNumber(self.count(name)?),
            "-nouser" => Test::NoOwner,
            "-nogroup" => Test::NoGroup,
            "-newer" | "-mnewer" | "-newermm" => {
                let path = self.argument(name)?;
                Test::NewerThan(self.stat(&path)?.1)
            }
            "-newermt" => {
                let text = self.argument(name)?;
                match date::parse(&text, self.process.machine.epoch.timestamp()) {
                    Some(time) => Test::NewerThan(time),
                    None => {
                        return fail(format!(
                            "I cannot figure out how to interpret '{}' as a date or time",
                            show(&text)
                        ));
                    }
                }
            }
            "-mtime" | "-ctime" => Test::Age(self.count(name)?, 86_400),
            "-mmin" | "-cmin" => Test::Age(self.count(name)?, 60),
            "-empty" => Test::Empty,
            "-size" => self.size(name)?,
            "-links" => Test::Links(self.count(name)?),
            "-inum" => Test::Inode(self.count(name)?),
            "-samefile" => {
                let path = self.argument(name)?;
                Test::SameFile(self.stat(&path)?.0)
            }
            "-executable" => Test::Executable,
            _ => return Ok(None),
        }))
    }

    fn stat(&self, path: &[u8]) -> Parsed<(crate::tree::InodeId, Timestamp)> {
        let found = match self.query.follow {
            Follow::Never => self.process.lookup_no_follow(path),
            _ => self.process.lookup(path),
        };
        match found {
            Ok(id) => Ok((id, self.process.inode(id).stat.mtime)),
            Err(error) => fail(format!("'{}': {}", show(path), error.errno)),
        }
    }

    fn kinds(&mut self, name: &str) -> Parsed<Vec<u8>> {
        let text = self.argument(name)?;
        let letters: Option<Vec<u8>> = text
            .split(|&b| b == b',')
            .map(|part| match part {
                [letter] if b"bcdpfls".contains(letter) => Some(*letter),
                _ => None,
            })
            .collect();
        letters.ok_or_else(|| Stop::Error(format!("Unknown argument to {name}: {}", show(&text))))
    }

    fn count(&mut self, name: &str) -> Parsed<Count> {
        let text = self.argument(name)?;
        count(&text).ok_or_else(|| Stop::Error(format!("invalid argument '{}' to '{name}'", show(&text))))
    }

    fn size(&mut self, name: &str) -> Parsed<Test> {
        let text = self.argument(name)?;
        let (digits, unit) = match text.split_last() {
            Some((letter, digits)) if !letter.is_ascii_digit() => (digits, *letter),
            _ => (text.as_slice(), b'b'),
        };
        let unit = match unit {
            b'b' => 512,
            b'c' => 1,
            b'w' => 2,
            b'k' => 1 << 10,
            b'M' => 1 << 20,
            b'G' => 1 << 30,
            _ => return fail(format!("invalid -size type '{}'", unit.escape_ascii())),
        };
        match count(digits) {
            Some(count) => Ok(Test::Size(count, unit)),
            None => fail(format!("Invalid argument '{}' to -size", show(&text))),
        }
    }

    fn permissions(&mut self, name: &str) -> Parsed<Permissions> {
        let text = self.argument(name)?;
        let (kind, mode): (fn(u16) -> Permissions, _) = match text.as_slice() {
            [b'-', mode @ ..] => (Permissions::All, mode),
            [b'/', mode @ ..] => (Permissions::Any, mode),
            mode => (Permissions::Exactly, mode),
        };
        match Mode::parse(mode) {
            Some(mode) => Ok(kind(mode.apply(0, false, 0))),
            None => fail(format!("invalid mode '{}'", show(&text))),
        }
    }

    fn regex(&mut self, name: &str) -> Parsed<Regex> {
        let text = self.argument(name)?;
        let pattern = match self.dialect {
            Dialect::Emacs => extended_of_emacs(&text),
            Dialect::Basic | Dialect::Extended => text,
        };
        let flavour = Flavour {
            extended: !matches!(self.dialect, Dialect::Basic),
            fold_case: name == "-iregex",
            lenient: true,
            surrounded: Surrounded::Nothing,
            ..Flavour::basic(self.process.utf8())
        };
        Regex::new(&pattern, flavour).map_err(|error| Stop::Error(error.to_string()))
    }
}

fn count(text: &[u8]) -> Option<Count> {
    match text {
        [b'+', digits @ ..] => number(digits).map(Count::More),
        [b'-', digits @ ..] => number(digits).map(Count::Less),
        digits => number(digits).map(Count::Exactly),
    }
}

/// Emacs' syntax has `+` and `?` as the extended one, but groups and alternatives behind backslashes, and no intervals.
fn extended_of_emacs(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            (b'\\', Some(special @ (b'(' | b')' | b'|'))) => {
                out.push(*special);
                at += 2;
            }
            (b'\\', Some(other)) => {
                out.extend_from_slice(&[b'\\', *other]);
                at += 2;
            }
            (plain @ (b'(' | b')' | b'|' | b'{' | b'}'), _) => {
                out.extend_from_slice(&[b'\\', plain]);
                at += 1;
            }
            (b'[', _) => {
                // A bracket expression is the same in both.
                let body = at + 1 + usize::from(text.get(at + 1) == Some(&b'^'));
                let end = text.iter().skip(body + 1).position(|b| *b == b']').map_or(text.len(), |i| body + 1 + i + 1);
                out.extend_from_slice(&text[at..end]);
                at = end;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}
