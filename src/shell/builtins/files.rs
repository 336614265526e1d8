//! `test` and `[`: strings, numbers, and what is in the tree.

use crate::{
    shell::{
        Descriptors, Machine,
        interpreter::{Shell, Unwind},
        process::absolute,
        raw::Raw,
    },
    tree::{Inode, Node, TreePath},
};

pub(super) fn test(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let mut words = &arguments[1..];
    if arguments[0] == b"[" {
        match words.split_last() {
            Some((last, rest)) if last == b"]" => words = rest,
            _ => return Err(shell.error("missing ]")),
        }
    }
    let facts = Facts { machine: shell.machine, folder: &shell.state.folder, descriptors: &shell.state.descriptors };
    match Condition::new(words, &facts).holds() {
        Ok(true) => Ok(0),
        Ok(false) => Ok(1),
        Err(fault) => Err(shell.error(&fault)),
    }
}

/// What conditions may ask.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) folder: &'a TreePath,
    pub(crate) descriptors: &'a Descriptors,
}

/// An expression of `test`, read as dash does: by what stands where, with `-o` and `-a` binding last.
#[derive(Debug)]
pub(crate) struct Condition<'a> {
    words: &'a [Vec<u8>],
    facts: &'a Facts<'a>,
    at: usize,
    depth: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    End,
    Operand,
    Unary,
    Binary,
    Not,
    And,
    Or,
    Open,
    Close,
}

/// What a word is, if it is an operator.
fn operator(word: &[u8]) -> Option<Token> {
    Some(match word {
        b"!" => Token::Not,
        b"-a" => Token::And,
        b"-o" => Token::Or,
        b"(" => Token::Open,
        b")" => Token::Close,
        b"=" | b"!=" | b"<" | b">" | b"-eq" | b"-ne" | b"-ge" | b"-gt" | b"-le" | b"-lt" | b"-nt" | b"-ot" | b"-ef" => {
            Token::Binary
        }
        [b'-', letter] if b"rwxefdcbpugkstznhOGLS".contains(letter) => Token::Unary,
        _ => return None,
    })
}

const MAX_DEPTH: u32 = 100;

impl<'a> Condition<'a> {
    pub(crate) fn new(words: &'a [Vec<u8>], facts: &'a Facts<'a>) -> Self {
        Self { words, facts, at: 0, depth: 0 }
    }

    pub(crate) fn holds(mut self) -> Result<bool, String> {
        if self.words.is_empty() {
            return Ok(false);
        }
        // With three and four words, what stands where decides, as POSIX has it; two negations are one to dash.
        let mut negated = false;
        let mut token = None;
        while let [first, second, .., last] = self.words
            && self.words.len() <= 4
        {
            if self.words.len() == 3 && operator(second) == Some(Token::Binary) {
                token = Some(Token::Operand);
                break;
            } else if first == b"(" && last == b")" {
                self.words = &self.words[1..self.words.len() - 1];
            } else if first == b"!" {
                self.words = &self.words[1..];
                negated = true;
            } else {
                break;
            }
        }
        let token = token.unwrap_or_else(|| self.token());
        let value = self.or(token)?;
        match self.words.get(self.at + 1) {
            Some(_) => Err(format!("{}: unexpected operator", Raw(&self.words[self.at]))),
            _ => Ok(value != negated),
        }
    }

    /// What the word here is.
    fn token(&self) -> Token {
        let Some(word) = self.words.get(self.at) else { return Token::End };
        match operator(word) {
            Some(Token::Unary) if self.operand_follows() => Token::Operand,
            Some(Token::Open) if self.words.get(self.at + 1).is_none() => Token::Operand,
            Some(token) => token,
            None => Token::Operand,
        }
    }

    /// Whether a word that looks like a unary operator is an operand, going by what comes after it.
    fn operand_follows(&self) -> bool {
        match (self.words.get(self.at + 1), self.words.get(self.at + 2)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(next), Some(_)) => operator(next) == Some(Token::Binary),
        }
    }

    fn next(&mut self) -> Token {
        self.at += 1;
        self.token()
    }

    fn peek(&mut self) -> Token {
        self.at += 1;
        let token = self.token();
        self.at -= 1;
        token
    }

    fn or(&mut self, mut token: Token) -> Result<bool, String> {
        let mut value = false;
        loop {
            value |= self.and(token)?;
            if self.peek() != Token::Or {
                return Ok(value);
            }
            self.at += 1;
            token = self.next();
        }
    }

    fn and(&mut self, mut token: Token) -> Result<bool, String> {
        let mut value = true;
        loop {
            value &= self.not(token)?;
            if self.peek() != Token::And {
                return Ok(value);
            }
            self.at += 1;
            token = self.next();
        }
    }

    fn not(&mut self, token: Token) -> Result<bool, String> {
        if token != Token::Not {
            return self.primary(token);
        }
        let mut negations = 1;
        loop {
            let token = self.peek();
            if token != Token::End {
                self.at += 1;
            }
            if token != Token::Not {
                return Ok(self.primary(token)? != (negations % 2 == 1));
            }
            negations += 1;
        }
    }

    fn primary(&mut self, token: Token) -> Result<bool, String> {
        match token {
            Token::End => return Ok(false),
            Token::Open => {
                let inner = self.next();
                if inner == Token::Close {
                    return Ok(false);
                }
                if self.depth >= MAX_DEPTH {
                    return Err("nested too deeply".to_owned());
                }
                self.depth += 1;
                let value = self.or(inner)?;
                self.depth -= 1;
                return if self.next() == Token::Close { Ok(value) } else { Err("closing paren expected".to_owned()) };
            }
            Token::Unary => {
                let letter = self.words[self.at][1];
                self.at += 1;
                let Some(operand) = self.words.get(self.at) else {
                    return Err(format!("-{}: argument expected", char::from(letter)));
                };
                return self.unary(letter, operand);
            }
            _ => {}
        }
        if self.peek() == Token::Binary {
            let left = &self.words[self.at];
            let name = &self.words[self.at + 1];
            self.at += 2;
            let Some(right) = self.words.get(self.at) else {
                return Err(format!("{}: argument expected", Raw(name)));
            };
            return self.binary(left, name, right);
        }
        Ok(self.words.get(self.at).is_some_and(|word| !word.is_empty()))
    }

    fn unary(&self, letter: u8, operand: &[u8]) -> Result<bool, String> {
        match letter {
            b'z' => return Ok(operand.is_empty()),
            b'n' => return Ok(!operand.is_empty()),
            // Nothing is a terminal.
            b't' => return integer(operand).map(|_| false),
            _ => {}
        }
        let follow = !matches!(letter, b'h' | b'L');
        let Some(inode) = self.facts.inode(operand, follow) else {
            return Ok(self.facts.is_device(operand) && matches!(letter, b'e' | b'c' | b'r' | b'w' | b'O' | b'G'));
        };
        let mode = inode.stat.mode;
        Ok(match letter {
            // The script is root's: only execution asks for a permission bit.
            b'e' | b'r' | b'w' => true,
            b'x' => inode.is_dir() || mode & 0o111 != 0,
            b'f' => inode.is_file(),
            b'd' => inode.is_dir(),
            b'c' => matches!(inode.node, Node::CharDevice(_)),
            b'b' => matches!(inode.node, Node::BlockDevice(_)),
            b'p' => matches!(inode.node, Node::Fifo),
            b'S' => matches!(inode.node, Node::Socket),
            b'h' | b'L' => inode.is_symlink(),
            b'u' => mode & 0o4000 != 0,
            b'g' => mode & 0o2000 != 0,
            b'k' => mode & 0o1000 != 0,
            b's' => inode.size() > 0 || inode.is_dir(),
            b'O' => inode.stat.uid == 0,
            _ => inode.stat.gid == 0,
        })
    }

    fn binary(&self, left: &[u8], name: &[u8], right: &[u8]) -> Result<bool, String> {
        let time = |path| self.facts.inode(path, true).map(|inode| inode.stat.mtime);
        Ok(match name {
            b"=" => left == right,
            b"!=" => left != right,
            b"<" => left < right,
            b">" => left > right,
            b"-eq" => integer(left)? == integer(right)?,
            b"-ne" => integer(left)? != integer(right)?,
            b"-ge" => integer(left)? >= integer(right)?,
            b"-gt" => integer(left)? > integer(right)?,
            b"-le" => integer(left)? <= integer(right)?,
            b"-lt" => integer(left)? < integer(right)?,
            b"-nt" => time(left).zip(time(right)).is_some_and(|(left, right)| left > right),
            b"-ot" => time(left).zip(time(right)).is_some_and(|(left, right)| left < right),
            _ => {
                let id = |path| self.facts.machine.tree.lookup(&absolute(self.facts.folder, path)).ok();
                id(left).is_some() && id(left) == id(right)
            }
        })
    }
}

impl Facts<'_> {
    fn inode(&self, path: &[u8], follow: bool) -> Option<&Inode> {
        if path.is_empty() {
            return None;
        }
        let path = absolute(self.folder, path);
        let tree = &self.machine.tree;
        let id = if follow { tree.lookup(&path) } else { tree.lookup_no_follow(&path) };
        id.ok().map(|id| tree.get(id))
    }

    /// A device that can be opened although the tree may lack it.
    fn is_device(&self, path: &[u8]) -> bool {
        match path {
            b"/dev/null" | b"/dev/tty" => true,
            b"/dev/stdin" => self.descriptors.contains_key(&0),
            b"/dev/stdout" => self.descriptors.contains_key(&1),
            b"/dev/stderr" => self.descriptors.contains_key(&2),
            _ => false,
        }
    }
}

/// A decimal number, with blanks around it.
fn integer(text: &[u8]) -> Result<i64, String> {
    let illegal = || format!("Illegal number: {}", Raw(text));
    let trimmed =
        std::str::from_utf8(text).map_err(|_| illegal())?.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    trimmed.parse().map_err(|_| illegal())
}
