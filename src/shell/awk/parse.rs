//! Tokens into a program: rules, functions, statements; and which names are arrays.

use super::{
    Block, Expression, Function, Global, KNOWN, Pattern, Place, Program, Redirection, RedirectionKind, Rule, Statement,
    Variable, known,
    lex::{Fault, Lexer, Token},
};

/// Blocks and parentheses inside each other.
const MAX_DEPTH: u32 = 150;

pub(super) type Parsed<T> = Result<T, Fault>;

/// A variable of a scope: of the whole program or of a function.
type Scoped = (Option<usize>, Variable);

pub(super) struct Parser<'t> {
    pub(super) lexer: Lexer<'t>,
    pub(super) token: Token,
    program: Program,
    /// Functions by name, in the order in which they were first seen, and whether they are defined.
    functions: Vec<(Vec<u8>, Option<Function>)>,
    /// Which locals of each function are arrays.
    arrays: Vec<Vec<bool>>,
    /// The function being read, and its parameters.
    function: Option<usize>,
    parameters: Vec<Vec<u8>>,
    /// Variables passed to functions: what they are follows from the parameter.
    passed: Vec<(Scoped, usize, usize)>,
    ranges: usize,
    pub(super) depth: u32,
    /// Loops around here, and whether records are at hand: whether this is a rule.
    loops: u32,
    in_rule: bool,
    /// `>` is a redirection here, `in` belongs to a `for`.
    pub(super) no_greater: bool,
    pub(super) no_in: bool,
}

/// Reads a program; the error is a complaint.
pub(in crate::shell) fn parse(text: &[u8]) -> Result<Program, String> {
    let show = |fault: Fault| format!("line {}: {}", fault.line, fault.what);
    let mut parser = Parser {
        lexer: Lexer::new(text),
        token: Token::Newline,
        program: Program::default(),
        functions: Vec::new(),
        arrays: Vec::new(),
        function: None,
        parameters: Vec::new(),
        passed: Vec::new(),
        ranges: 0,
        depth: 0,
        loops: 0,
        in_rule: false,
        no_greater: false,
        no_in: false,
    };
    for (index, name) in KNOWN.iter().enumerate() {
        let array = matches!(index, known::ENVIRON | known::ARGV);
        parser.program.globals.push(Global { name: name.as_bytes().to_vec(), array });
    }
    parser.program().map_err(show)?;
    parser.finish()
}

impl Parser<'_> {
    pub(super) fn advance(&mut self) -> Parsed<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(&self.token, Token::Symbol(found) if *found == symbol)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Word(found) if *found == word)
    }

    pub(super) fn take(&mut self, symbol: &str) -> Parsed<bool> {
        let found = self.is(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.take(symbol)? { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn unexpected(&self) -> Fault {
        let what = match &self.token {
            Token::End => "unexpected end of program".to_owned(),
            Token::Newline => "syntax error at or near end of line".to_owned(),
            Token::Symbol(symbol) => format!("syntax error at or near {symbol}"),
            Token::Word(word) => format!("syntax error at or near {word}"),
            Token::Name(name) | Token::FunctionName(name) => {
                format!("syntax error at or near {}", name.escape_ascii())
            }
            Token::Number(number) => format!("syntax error at or near {number}"),
            Token::Text(_) => "syntax error at or near a string".to_owned(),
            Token::Regex(_) => "syntax error at or near a regular expression".to_owned(),
        };
        self.lexer.fault(what)
    }

    pub(super) fn deeper<T>(&mut self, body: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.lexer.fault("nested too deeply"));
        }
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result
    }

    pub(super) fn skip_newlines(&mut self) -> Parsed<()> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    fn skip_terminators(&mut self) -> Parsed<()> {
        while self.token == Token::Newline || self.is(";") {
            self.advance()?;
        }
        Ok(())
    }

    fn program(&mut self) -> Parsed<()> {
        self.advance()?;
        loop {
            self.skip_terminators()?;
            match &self.token {
                Token::End => return Ok(()),
                Token::Word("function") => self.function()?,
                Token::Word("BEGIN") => {
                    self.advance()?;
                    let block = self.block()?;
                    self.program.begin.push(block);
                }
                Token::Word("END") => {
                    self.advance()?;
                    let block = self.block()?;
                    self.program.end.push(block);
                }
                _ => {
                    let rule = self.rule()?;
                    self.program.rules.push(rule);
                }
            }
        }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        if self.is("{") {
            return Ok(Rule { pattern: Pattern::Always, action: self.action()? });
        }
        let first = self.expression()?;
        let pattern = if self.take(",")? {
            self.skip_newlines()?;
            self.ranges += 1;
            Pattern::Range(self.ranges - 1, first, self.expression()?)
        } else {
            Pattern::If(first)
        };
        let action = if self.is("{") { self.action()? } else { None };
        Ok(Rule { pattern, action })
    }

    fn action(&mut self) -> Parsed<Option<Block>> {
        self.in_rule = true;
        let block = self.block();
        self.in_rule = false;
        block.map(Some)
    }

    fn function(&mut self) -> Parsed<()> {
        self.advance()?;
        let name = match self.advance()? {
            Token::Name(name) | Token::FunctionName(name) => name,
            _ => return Err(self.unexpected()),
        };
        let index = self.function_index(&name);
        if self.functions[index].1.is_some() {
            return Err(self.lexer.fault(format!("redefinition of {}", name.escape_ascii())));
        }
        self.expect("(")?;
        self.parameters.clear();
        while !self.is(")") {
            match self.advance()? {
                Token::Name(parameter) if parameter != name && !self.parameters.contains(&parameter) => {
                    self.parameters.push(parameter);
                }
                _ => return Err(self.unexpected()),
            }
            if !self.take(",")? {
                break;
            }
            self.skip_newlines()?;
        }
        self.expect(")")?;
        self.skip_newlines()?;
        self.function = Some(index);
        self.arrays[index].resize(self.parameters.len(), false);
        let body = self.block()?;
        self.function = None;
        let parameters = std::mem::take(&mut self.parameters).len();
        self.functions[index].1 = Some(Function { parameters, arrays: Vec::new(), body });
        Ok(())
    }

    pub(super) fn function_index(&mut self, name: &[u8]) -> usize {
        if let Some(index) = self.functions.iter().position(|(known, _)| known == name) {
            return index;
        }
        self.functions.push((name.to_vec(), None));
        self.arrays.push(Vec::new());
        self.functions.len() - 1
    }

    /// Whether a name is that of a variable seen before, and of no function.
    pub(super) fn is_variable(&self, name: &[u8]) -> bool {
        let known = self.parameters.iter().any(|parameter| parameter == name)
            || self.program.globals.iter().any(|global| global.name == name);
        known && !self.functions.iter().any(|(known, _)| known == name)
    }

    pub(super) fn variable(&mut self, name: &[u8]) -> Variable {
        if let Some(index) = self.parameters.iter().position(|parameter| parameter == name) {
            return Variable::Local(index);
        }
        if let Some(index) = self.program.globals.iter().position(|global| global.name == name) {
            return Variable::Global(index);
        }
        self.program.globals.push(Global { name: name.to_vec(), array: false });
        Variable::Global(self.program.globals.len() - 1)
    }

    pub(super) fn mark_array(&mut self, variable: Variable) {
        self.set_array((self.function, variable));
    }

    fn set_array(&mut self, (function, variable): Scoped) -> bool {
        let slot = match (variable, function) {
            (Variable::Global(index), _) => &mut self.program.globals[index].array,
            (Variable::Local(index), Some(function)) => &mut self.arrays[function][index],
            (Variable::Local(_), None) => return false,
        };
        !std::mem::replace(slot, true)
    }

    fn is_array(&self, (function, variable): Scoped) -> bool {
        match (variable, function) {
            (Variable::Global(index), _) => self.program.globals[index].array,
            (Variable::Local(index), Some(function)) => self.arrays[function][index],
            (Variable::Local(_), None) => false,
        }
    }

    pub(super) fn pass(&mut self, variable: Variable, function: usize, position: usize) {
        self.passed.push(((self.function, variable), function, position));
    }

    /// What is passed to a parameter that is an array is one itself, and the other way round.
    fn finish(mut self) -> Result<Program, String> {
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for (variable, function, position) in self.passed.clone() {
                let parameter = self.arrays[function].get(position).copied().unwrap_or(false);
                if parameter {
                    changed |= self.set_array(variable);
                } else if self.is_array(variable) && position < self.arrays[function].len() {
                    self.arrays[function][position] = true;
                    changed = true;
                }
            }
        }
        for ((name, function), arrays) in self.functions.into_iter().zip(self.arrays) {
            let Some(function) = function else {
                return Err(format!("function {} never defined", name.escape_ascii()));
            };
            self.program.functions.push(Function { arrays, ..function });
        }
        Ok(self.program)
    }

    fn block(&mut self) -> Parsed<Block> {
        self.expect("{")?;
        let mut statements = Vec::new();
        loop {
            self.skip_terminators()?;
            if self.take("}")? {
                return Ok(statements);
            }
            statements.push(self.deeper(Self::statement)?);
        }
    }

    /// A statement as the body of another: a lone `;` is none.
    fn body(&mut self) -> Parsed<Block> {
        self.skip_newlines()?;
        if self.take(";")? {
            return Ok(Vec::new());
        }
        if self.is("{") { self.block() } else { Ok(vec![self.deeper(Self::statement)?]) }
    }

    fn loop_body(&mut self) -> Parsed<Block> {
        self.loops += 1;
        let body = self.body();
        self.loops -= 1;
        body
    }

    fn end_of_statement(&mut self) -> Parsed<()> {
        if self.token == Token::Newline || self.is(";") {
            self.advance()?;
            return Ok(());
        }
        if self.is("}") || self.token == Token::End { Ok(()) } else { Err(self.unexpected()) }
    }

    fn condition(&mut self) -> Parsed<Expression> {
        self.expect("(")?;
        let condition = self.unrestricted()?;
        self.expect(")")?;
        Ok(condition)
    }

    // table: one arm a statement
    fn statement(&mut self) -> Parsed<Statement> {
        let Token::Word(word) = self.token else {
            if self.is("{") {
                return Ok(Statement::Block(self.block()?));
            }
            let statement = self.simple_statement()?;
            self.end_of_statement()?;
            return Ok(statement);
        };
        let statement = match word {
            "if" => return self.if_statement(),
            "while" => {
                self.advance()?;
                let condition = self.condition()?;
                return Ok(Statement::While(condition, self.loop_body()?));
            }
            "do" => {
                self.advance()?;
                let body = self.loop_body()?;
                self.skip_terminators()?;
                if !self.is_word("while") {
                    return Err(self.unexpected());
                }
                self.advance()?;
                Statement::DoWhile(body, self.condition()?)
            }
            "for" => return self.for_statement(),
            "next" | "nextfile" | "break" | "continue" => {
                let proper = if word.starts_with("next") { self.in_rule } else { self.loops > 0 };
                if !proper {
                    return Err(self.lexer.fault(format!("improper use of {word}")));
                }
                self.advance()?;
                match word {
                    "next" => Statement::Next,
                    "nextfile" => Statement::NextFile,
                    "break" => Statement::Break,
                    _ => Statement::Continue,
                }
            }
            "exit" | "return" => {
                if word == "return" && self.function.is_none() {
                    return Err(self.lexer.fault("return outside function body"));
                }
                self.advance()?;
                let ends = self.token == Token::Newline || self.token == Token::End || self.is(";") || self.is("}");
                let value = if ends { None } else { Some(self.unrestricted()?) };
                if word == "exit" { Statement::Exit(value) } else { Statement::Return(value) }
            }
            _ => self.simple_statement()?,
        };
        self.end_of_statement()?;
        Ok(statement)
    }

    fn if_statement(&mut self) -> Parsed<Statement> {
        self.advance()?;
        let condition = self.condition()?;
        let then = self.body()?;
        let (lexer, token) = (self.lexer.clone(), self.token.clone());
        self.skip_newlines()?;
        if self.is_word("else") {
            self.advance()?;
            return Ok(Statement::If(condition, then, self.body()?));
        }
        (self.lexer, self.token) = (lexer, token);
        Ok(Statement::If(condition, then, Vec::new()))
    }

    fn for_statement(&mut self) -> Parsed<Statement> {
        self.advance()?;
        self.expect("(")?;
        let mut init = None;
        if !self.is(";") {
            self.no_in = true;
            let first = self.simple_statement();
            self.no_in = false;
            let first = first?;
            if self.is_word("in") {
                self.advance()?;
                let Statement::Expression(Expression::Get(key)) = first else { return Err(self.unexpected()) };
                let array = match self.advance()? {
                    Token::Name(name) => self.variable(&name),
                    _ => return Err(self.unexpected()),
                };
                self.mark_array(array);
                self.expect(")")?;
                return Ok(Statement::ForIn { key, array, body: self.loop_body()? });
            }
            init = Some(Box::new(first));
        }
        self.expect(";")?;
        self.skip_newlines()?;
        let condition = if self.is(";") { None } else { Some(self.unrestricted()?) };
        self.expect(";")?;
        self.skip_newlines()?;
        let step = if self.is(")") { None } else { Some(Box::new(self.simple_statement()?)) };
        self.expect(")")?;
        Ok(Statement::For { init, condition, step, body: self.loop_body()? })
    }

    fn simple_statement(&mut self) -> Parsed<Statement> {
        match self.token {
            Token::Word(word @ ("print" | "printf")) => {
                self.advance()?;
                let values = self.printed()?;
                let to = self.redirection()?;
                if word == "printf" && values.is_empty() {
                    return Err(self.lexer.fault("no arguments in call to printf"));
                }
                Ok(match word {
                    "print" => Statement::Print { values, to },
                    _ => Statement::Printf { values, to },
                })
            }
            Token::Word("delete") => {
                self.advance()?;
                let Token::Name(name) = self.advance()? else { return Err(self.unexpected()) };
                let array = self.variable(&name);
                self.mark_array(array);
                let key = if self.take("[")? { self.subscripts()? } else { Vec::new() };
                Ok(Statement::Delete(array, key))
            }
            _ => Ok(Statement::Expression(self.expression()?)),
        }
    }

    fn printed(&mut self) -> Parsed<Vec<Expression>> {
        let ends = matches!(self.token, Token::Newline | Token::End)
            || [";", "}", ">", ">>", "|"].iter().any(|symbol| self.is(symbol));
        if ends {
            return Ok(Vec::new());
        }
        let before = std::mem::replace(&mut self.no_greater, true);
        let mut values = vec![self.expression()?];
        while self.take(",")? {
            self.skip_newlines()?;
            values.push(self.expression()?);
        }
        self.no_greater = before;
        Ok(match values.pop() {
            Some(Expression::List(list)) if values.is_empty() => list,
            last => values.into_iter().chain(last).collect(),
        })
    }

    fn redirection(&mut self) -> Parsed<Option<Redirection>> {
        let kind = match self.token {
            Token::Symbol(">") => RedirectionKind::Write,
            Token::Symbol(">>") => RedirectionKind::Append,
            Token::Symbol("|") => RedirectionKind::Pipe,
            _ => return Ok(None),
        };
        self.advance()?;
        let before = std::mem::replace(&mut self.no_greater, true);
        let target = self.expression()?;
        self.no_greater = before;
        Ok(Some(Redirection { kind, target }))
    }

    /// Keys behind `[`, to the `]`.
    pub(super) fn subscripts(&mut self) -> Parsed<Vec<Expression>> {
        let mut keys = vec![self.unrestricted()?];
        while self.take(",")? {
            self.skip_newlines()?;
            keys.push(self.unrestricted()?);
        }
        self.expect("]")?;
        Ok(keys)
    }

    /// The place that a name is, with subscripts if they follow.
    pub(super) fn named_place(&mut self, name: &[u8]) -> Parsed<Place> {
        let variable = self.variable(name);
        if self.take("[")? {
            self.mark_array(variable);
            return Ok(Place::Element(variable, self.subscripts()?));
        }
        Ok(Place::Variable(variable))
    }
}
