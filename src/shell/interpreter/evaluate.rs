//! Compound commands, lists and pipelines (POSIX XCU 2.9).

use std::{rc::Rc, sync::Arc};

use super::{Defined, Shell, Skip, Unwind};
use crate::shell::{
    OpenFile, Work,
    syntax::{Arm, Connector, Function, Node, Redirect, Word},
};

impl Shell<'_> {
    /// Runs a command. `tested`: its failure is being asked for, so that `set -e` doesn't count.
    pub(in crate::shell) fn evaluate(&mut self, node: &Node, tested: bool) -> Result<u32, Unwind> {
        if self.state.options.noexec() {
            return Ok(0);
        }
        let status = self.deeper(|shell| shell.node(node, tested)).map_err(|unwind| self.placed(unwind))?;
        self.status = status;
        if !self.pending.is_empty() {
            self.run_traps()?;
        }
        let checks = matches!(
            node,
            Node::Simple(_) | Node::Pipe(_) | Node::Subshell { .. } | Node::Test { .. } | Node::Arithmetic { .. }
        );
        if checks && status != 0 && !tested && self.state.options.errexit() {
            return Err(Unwind::Exit);
        }
        Ok(status)
    }

    fn node(&mut self, node: &Node, tested: bool) -> Result<u32, Unwind> {
        match node {
            Node::Simple(simple) => self.simple(simple, tested),
            Node::Pipe(parts) => self.pipe(parts, tested),
            Node::Not(node) => {
                let status = self.evaluate(node, true)?;
                // `! return 3` returns 3.
                Ok(if self.skip == Skip::None { u32::from(status == 0) } else { status })
            }
            Node::AndOr { first, rest } => self.and_or(first, rest, tested),
            Node::List(nodes) => {
                let mut status = 0;
                for node in nodes {
                    status = self.evaluate(node, tested)?;
                    if self.skip != Skip::None {
                        break;
                    }
                }
                Ok(status)
            }
            Node::Redirected { node, redirects, line } => {
                self.line = *line;
                self.redirected(redirects, tested, |shell| shell.evaluate(node, tested))
            }
            Node::Subshell { node, redirects, line } => {
                self.line = *line;
                self.subshell(|shell| shell.subshell_body(redirects, node, tested))
            }
            Node::Background(node) => self.background(node),
            Node::If { tests, otherwise } => {
                for (test, then) in tests {
                    let status = self.evaluate(test, true)?;
                    if self.skip != Skip::None {
                        return Ok(status);
                    }
                    if status == 0 {
                        return self.evaluate(then, tested);
                    }
                }
                match otherwise {
                    Some(node) => self.evaluate(node, tested),
                    None => Ok(0),
                }
            }
            Node::Loop { test, body, until } => self.repeat(test, body, *until, tested),
            Node::For { variable, words, body, line } => {
                self.line = *line;
                self.for_each(variable, words.as_deref(), body, tested)
            }
            Node::Case { subject, arms, line } => {
                self.line = *line;
                self.case(subject, arms, tested)
            }
            Node::Test { test, line } => {
                self.line = *line;
                self.step()?;
                Ok(u32::from(!self.test(test)?))
            }
            Node::Arithmetic { parts, line } => {
                self.line = *line;
                self.step()?;
                Ok(u32::from(self.arithmetic(parts)? == 0))
            }
            Node::Function(function) => self.define(function),
        }
    }

    fn define(&mut self, function: &Arc<Function>) -> Result<u32, Unwind> {
        if Rc::strong_count(&self.state.functions) > 1 {
            self.machine.work(Work::Entries(self.state.functions.len()))?;
        }
        let defined = Defined { function: function.clone(), script: self.script.clone() };
        Rc::make_mut(&mut self.state.functions).insert(function.name.clone(), defined);
        Ok(0)
    }

    fn and_or(&mut self, first: &Node, rest: &[(Connector, Node)], tested: bool) -> Result<u32, Unwind> {
        let mut status = self.evaluate(first, true)?;
        for (index, (connector, node)) in rest.iter().enumerate() {
            if self.skip != Skip::None {
                break;
            }
            if (status == 0) == (*connector == Connector::And) {
                let last = index + 1 == rest.len();
                status = self.evaluate(node, tested || !last)?;
            }
        }
        Ok(status)
    }

    fn subshell_body(&mut self, redirects: &[Redirect], node: &Node, tested: bool) -> Result<u32, Unwind> {
        let opened = self.open_redirects(redirects)?;
        self.apply_redirects(opened)?;
        self.evaluate(node, tested)
    }

    /// Runs the commands from left to right, each to its end; what one writes waits for the next.
    fn pipe(&mut self, parts: &[Node], tested: bool) -> Result<u32, Unwind> {
        let mut input = None;
        let mut status = 0;
        let mut failure = 0;
        for (index, node) in parts.iter().enumerate() {
            let output = (index + 1 < parts.len()).then(|| OpenFile::buffer(Vec::new()));
            let (from, to) = (input.take(), output.clone());
            status = self.subshell(move |shell| {
                if let Some(from) = from {
                    shell.state.descriptors.insert(0, from);
                }
                if let Some(to) = to {
                    shell.state.descriptors.insert(1, to);
                }
                shell.evaluate(node, tested)
            })?;
            if status != 0 {
                failure = status;
            }
            input = output;
        }
        Ok(if self.state.options.pipefail { failure } else { status })
    }

    /// `&`: the command runs to its end at once.
    fn background(&mut self, node: &Node) -> Result<u32, Unwind> {
        self.machine.background_processes += 1;
        let pid = super::PID + self.machine.background_processes;
        let status = self.subshell(|shell| {
            shell.state.descriptors.insert(0, OpenFile::null());
            shell.evaluate(node, false)
        })?;
        self.state.background = Some(pid);
        Rc::make_mut(&mut self.state.jobs).insert(pid, status as u8);
        Ok(0)
    }

    /// What a loop does about `break` and `continue`: whether it ends.
    fn leave_loop(&mut self) -> bool {
        match self.skip {
            Skip::None => false,
            Skip::Break(count) => {
                self.skip = if count > 1 { Skip::Break(count - 1) } else { Skip::None };
                true
            }
            Skip::Continue(count) if count > 1 => {
                self.skip = Skip::Continue(count - 1);
                true
            }
            Skip::Continue(_) => {
                self.skip = Skip::None;
                false
            }
            Skip::Return => true,
        }
    }

    fn repeat(&mut self, test: &Node, body: &Node, until: bool, tested: bool) -> Result<u32, Unwind> {
        let mut status = 0;
        self.loops += 1;
        loop {
            self.step()?;
            let found = self.evaluate(test, true)?;
            if self.skip != Skip::None {
                if self.skip == Skip::Return {
                    status = found;
                }
                if self.leave_loop() {
                    break;
                }
                continue;
            }
            if (found == 0) == until {
                break;
            }
            status = self.evaluate(body, tested)?;
            if self.leave_loop() {
                break;
            }
        }
        self.loops -= 1;
        Ok(status)
    }

    fn for_each(&mut self, variable: &[u8], words: Option<&[Word]>, body: &Node, tested: bool) -> Result<u32, Unwind> {
        let values = match words {
            Some(words) => {
                let mut values = Vec::with_capacity(words.len());
                for word in words {
                    self.fields(word, &mut values)?;
                }
                values
            }
            None => {
                self.machine.work(Work::Pieces(self.state.parameters.len()))?;
                self.state.parameters.to_vec()
            }
        };
        let mut status = 0;
        self.loops += 1;
        for value in values {
            self.step()?;
            self.assign(variable, value)?;
            status = self.evaluate(body, tested)?;
            if self.leave_loop() {
                break;
            }
        }
        self.loops -= 1;
        Ok(status)
    }

    /// Whether a text matches the pattern that a word expands to.
    pub(super) fn matches(&mut self, pattern: &Word, text: &[u8]) -> Result<bool, Unwind> {
        let pattern = self.case_pattern(pattern)?;
        let mut effort = self.machine.effort();
        let matches = pattern.matches_within(text, &mut effort);
        self.machine.compared(&effort)?;
        Ok(matches)
    }

    fn case(&mut self, subject: &Word, arms: &[Arm], tested: bool) -> Result<u32, Unwind> {
        let subject = self.one(subject)?;
        for arm in arms {
            for pattern in &arm.patterns {
                let matches = match &pattern.literal {
                    Some(literal) => *literal == subject,
                    None => self.matches(pattern, &subject)?,
                };
                if matches {
                    return match &arm.body {
                        Some(body) => self.evaluate(body, tested),
                        None => Ok(0),
                    };
                }
            }
        }
        Ok(0)
    }
}
