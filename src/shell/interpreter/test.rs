//! `[[ ... ]]`, which scripts for bash have.

use super::{Shell, Unwind};
use crate::shell::{
    builtins::{Condition, Facts},
    regex::{Flavour, Regex},
    syntax::{Test, Word},
};

impl Shell<'_> {
    /// Whether a test holds; a word is only expanded when it counts.
    pub(super) fn test(&mut self, test: &Test) -> Result<bool, Unwind> {
        match test {
            Test::Not(test) => Ok(!self.deeper(|shell| shell.test(test))?),
            Test::And(one, other) => Ok(self.test(one)? && self.test(other)?),
            Test::Or(one, other) => Ok(self.test(one)? || self.test(other)?),
            Test::Word(word) => Ok(!self.one(word)?.is_empty()),
            Test::Unary(operator, word) => {
                if !b"bcdefghknprstuwxzLGOS".contains(&operator[1]) {
                    return Err(self.not_modelled(&format!("[[ {} ]]", operator.escape_ascii())));
                }
                let operand = self.one(word)?;
                match operator[1] {
                    b'n' => Ok(!operand.is_empty()),
                    b'z' => Ok(operand.is_empty()),
                    _ => self.asked(&[operator.clone(), operand]),
                }
            }
            Test::Binary(one, operator, other) => self.compared(one, operator, other),
            Test::Pattern { word, pattern, negated } => {
                let text = self.one(word)?;
                Ok(self.matches(pattern, &text)? != *negated)
            }
            Test::Regex(word, regex) => {
                let text = self.one(word)?;
                let source = self.regular_expression(regex)?;
                match Regex::new(&source, Flavour { extended: true, ..Flavour::basic(false) }) {
                    Ok(regex) => Ok(regex.is_match(&text)?),
                    Err(error) => Err(self.not_modelled(&format!("`{}`: {error}", source.escape_ascii()))),
                }
            }
        }
    }

    fn compared(&mut self, one: &Word, operator: &[u8], other: &Word) -> Result<bool, Unwind> {
        let (one, other) = (self.one(one)?, self.one(other)?);
        match operator {
            b"<" => return Ok(one < other),
            b">" => return Ok(one > other),
            b"-ef" => return self.asked(&[one, operator.to_vec(), other]),
            // To bash a file that is there is newer than one that isn't.
            b"-nt" | b"-ot" => return Err(self.not_modelled("[[ with the times of files")),
            _ => {}
        }
        // Both sides are expressions; an empty one is 0.
        let mut value = |text: &[u8]| if text.trim_ascii().is_empty() { Ok(0) } else { self.calculate(text) };
        let (one, other) = (value(&one)?, value(&other)?);
        Ok(match operator {
            b"-eq" => one == other,
            b"-ne" => one != other,
            b"-lt" => one < other,
            b"-le" => one <= other,
            b"-gt" => one > other,
            _ => one >= other,
        })
    }

    /// What the command `test` says.
    fn asked(&mut self, words: &[Vec<u8>]) -> Result<bool, Unwind> {
        let facts = Facts { machine: self.machine, folder: &self.state.folder, descriptors: &self.state.descriptors };
        let answer = Condition::new(words, &facts).holds();
        answer.map_err(|fault| self.error(&fault))
    }
}
