//! A pattern as instructions of a small machine, in the order in which glibc prefers ways to match.

use super::{Error, syntax::Node};

/// Instructions of one pattern: an interval such as `{1,1000}` repeats what it counts.
const MAX_LENGTH: usize = 50_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// One character.
    One(Node),
    Assert(Node),
    /// The place is the start (even) or the end (odd) of a group.
    Save(usize),
    BackReference(usize),
    /// Goes on at the first, or failing that at the second.
    Split(usize, usize),
    Jump(usize),
    /// A round of a loop begins here; the register remembers where.
    Mark(usize),
    /// A round that matched nothing fails.
    Progress(usize),
    Match,
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub instructions: Vec<Instruction>,
    /// Registers for marks.
    pub marks: usize,
}

pub(super) fn compile(node: &Node) -> Result<Program, Error> {
    let mut program = Program { instructions: Vec::new(), marks: 0 };
    program.add(node)?;
    program.push(Instruction::Match)?;
    Ok(program)
}

impl Program {
    fn push(&mut self, instruction: Instruction) -> Result<usize, Error> {
        if self.instructions.len() >= MAX_LENGTH {
            return Err(Error::TooBig);
        }
        self.instructions.push(instruction);
        Ok(self.instructions.len() - 1)
    }

    fn here(&self) -> usize {
        self.instructions.len()
    }

    fn add(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            node if node.is_one_character() => self.push(Instruction::One(node.clone())).map(|_| ()),
            Node::Group(number, inner) => {
                self.push(Instruction::Save(2 * number))?;
                self.add(inner)?;
                self.push(Instruction::Save(2 * number + 1)).map(|_| ())
            }
            Node::Concat(parts) => parts.iter().try_for_each(|part| self.add(part)),
            Node::Alternate(parts) => self.alternatives(parts),
            Node::Repeat(inner, min, max) => {
                for _ in 0..*min {
                    self.add(inner)?;
                }
                match max {
                    None => self.endless(inner),
                    Some(max) => self.optional(inner, max.saturating_sub(*min)),
                }
            }
            Node::BackReference(number) => self.push(Instruction::BackReference(*number)).map(|_| ()),
            node => self.push(Instruction::Assert(node.clone())).map(|_| ()),
        }
    }

    fn alternatives(&mut self, parts: &[Node]) -> Result<(), Error> {
        let mut jumps = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() {
                self.add(part)?;
                break;
            }
            let split = self.push(Instruction::Split(0, 0))?;
            self.add(part)?;
            jumps.push(self.push(Instruction::Jump(0))?);
            self.instructions[split] = Instruction::Split(split + 1, self.here());
        }
        let end = self.here();
        for jump in jumps {
            self.instructions[jump] = Instruction::Jump(end);
        }
        Ok(())
    }

    fn endless(&mut self, inner: &Node) -> Result<(), Error> {
        let register = self.marks;
        self.marks += 1;
        let split = self.push(Instruction::Split(0, 0))?;
        self.push(Instruction::Mark(register))?;
        self.add(inner)?;
        self.push(Instruction::Progress(register))?;
        self.push(Instruction::Jump(split))?;
        self.instructions[split] = Instruction::Split(split + 1, self.here());
        Ok(())
    }

    fn optional(&mut self, inner: &Node, count: u32) -> Result<(), Error> {
        let mut splits = Vec::new();
        for _ in 0..count {
            splits.push(self.push(Instruction::Split(0, 0))?);
            self.add(inner)?;
        }
        let end = self.here();
        for split in splits {
            self.instructions[split] = Instruction::Split(split + 1, end);
        }
        Ok(())
    }
}
