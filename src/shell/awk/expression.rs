//! Expressions of awk, by precedence.

use std::rc::Rc;

use super::{
    Binary, BuiltIn, Comparison, Expression, Place, Source, Variable, known,
    lex::Token,
    parse::{Parsed, Parser},
    run::flavour,
};
use crate::shell::regex::Regex;

impl Parser<'_> {
    /// An expression in which `>` and `in` mean what they usually do.
    pub(super) fn unrestricted(&mut self) -> Parsed<Expression> {
        let before = (self.no_greater, self.no_in);
        (self.no_greater, self.no_in) = (false, false);
        let result = self.expression();
        (self.no_greater, self.no_in) = before;
        result
    }

    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.deeper(Self::conditional)
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.or()?;
        if !self.take("?")? {
            return Ok(condition);
        }
        self.skip_newlines()?;
        let then = self.expression()?;
        self.skip_newlines()?;
        self.expect(":")?;
        self.skip_newlines()?;
        let other = self.expression()?;
        Ok(Expression::Conditional(Box::new(condition), Box::new(then), Box::new(other)))
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut left = self.and()?;
        while self.take("||")? {
            self.skip_newlines()?;
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.membership()?;
        while self.take("&&")? {
            self.skip_newlines()?;
            left = Expression::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Parsed<Expression> {
        let mut left = self.matching()?;
        while self.is_word("in") && !self.no_in {
            self.advance()?;
            let Token::Name(name) = self.advance()? else { return Err(self.unexpected()) };
            let array = self.variable(&name);
            self.mark_array(array);
            let keys = match left {
                Expression::List(keys) => keys,
                key => vec![key],
            };
            left = Expression::In(keys, array);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Parsed<Expression> {
        let mut left = self.comparison()?;
        while self.is("~") || self.is("!~") {
            let negated = self.is("!~");
            self.advance()?;
            let pattern = self.comparison()?;
            left = Expression::Matches { text: Box::new(left), pattern: Box::new(pattern), negated };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let left = self.concatenation()?;
        let comparison = match self.token {
            Token::Symbol("<") => Comparison::Less,
            Token::Symbol("<=") => Comparison::LessOrEqual,
            Token::Symbol("==") => Comparison::Equal,
            Token::Symbol("!=") => Comparison::NotEqual,
            Token::Symbol(">") if !self.no_greater => Comparison::Greater,
            Token::Symbol(">=") => Comparison::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.advance()?;
        let right = self.concatenation()?;
        Ok(Expression::Compare(comparison, Box::new(left), Box::new(right)))
    }

    fn concatenation(&mut self) -> Parsed<Expression> {
        let mut left = self.sum()?;
        while self.begins_operand() {
            left = Expression::Concat(Box::new(left), Box::new(self.sum()?));
        }
        Ok(left)
    }

    /// Whether a value that has no sign of addition can begin here.
    fn begins_operand(&self) -> bool {
        match &self.token {
            Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::FunctionName(_) => true,
            Token::Symbol(symbol) => matches!(*symbol, "$" | "(" | "++" | "--" | "!"),
            Token::Word(word) => built_in(word).is_some(),
            _ => false,
        }
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut left = self.product()?;
        loop {
            let operator = match self.token {
                Token::Symbol("+") => Binary::Add,
                Token::Symbol("-") => Binary::Subtract,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Parsed<Expression> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.token {
                Token::Symbol("*") => Binary::Multiply,
                Token::Symbol("/") => Binary::Divide,
                Token::Symbol("%") => Binary::Remainder,
                _ => return Ok(left),
            };
            self.advance()?;
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Parsed<Expression> {
        let wrap: fn(Box<Expression>) -> Expression = match self.token {
            Token::Symbol("!") => Expression::Not,
            Token::Symbol("-") => Expression::Negate,
            Token::Symbol("+") => Expression::Plus,
            _ => return self.power(),
        };
        self.advance()?;
        let inner = self.deeper(Self::unary)?;
        Ok(wrap(Box::new(inner)))
    }

    fn power(&mut self) -> Parsed<Expression> {
        let base = self.postfix()?;
        if !self.take("^")? {
            return Ok(base);
        }
        let exponent = self.deeper(Self::unary)?;
        Ok(Expression::Arithmetic(Binary::Power, Box::new(base), Box::new(exponent)))
    }

    /// A value with what binds closest to it: assignment to it, steps behind it, `| getline`.
    fn postfix(&mut self) -> Parsed<Expression> {
        let mut value = self.primary()?;
        if let Expression::Get(place) = value {
            value = self.behind_place(place)?;
        }
        while self.is("|") && self.getline_follows()? {
            self.advance()?;
            self.advance()?;
            let place = self.getline_place()?;
            value = Expression::Getline(place, Source::Command(Box::new(value)));
        }
        Ok(value)
    }

    fn behind_place(&mut self, place: Place) -> Parsed<Expression> {
        let operator = match self.token {
            Token::Symbol("++") => {
                self.advance()?;
                return Ok(Expression::Step { place, by: 1.0, after: true });
            }
            Token::Symbol("--") => {
                self.advance()?;
                return Ok(Expression::Step { place, by: -1.0, after: true });
            }
            Token::Symbol("=") => None,
            Token::Symbol("+=") => Some(Binary::Add),
            Token::Symbol("-=") => Some(Binary::Subtract),
            Token::Symbol("*=") => Some(Binary::Multiply),
            Token::Symbol("/=") => Some(Binary::Divide),
            Token::Symbol("%=") => Some(Binary::Remainder),
            Token::Symbol("^=") => Some(Binary::Power),
            _ => return Ok(Expression::Get(place)),
        };
        self.advance()?;
        self.skip_newlines()?;
        let value = self.expression()?;
        Ok(Expression::Assign(place, operator, Box::new(value)))
    }

    fn getline_follows(&self) -> Parsed<bool> {
        let mut ahead = self.lexer.clone();
        Ok(ahead.next()? == Token::Word("getline"))
    }

    fn getline_place(&mut self) -> Parsed<Option<Place>> {
        if !(matches!(self.token, Token::Name(_)) || self.is("$")) {
            return Ok(None);
        }
        match self.primary()? {
            Expression::Get(place) => Ok(Some(place)),
            _ => Err(self.unexpected()),
        }
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.advance()? {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text)),
            Token::Regex(text) => match Regex::new(&text, flavour()) {
                Ok(regex) => Ok(Expression::Regex(Rc::new(regex))),
                Err(error) => Err(self.lexer.fault(format!("regular expression compile failed ({error})"))),
            },
            Token::Name(name) => Ok(Expression::Get(self.named_place(&name)?)),
            Token::FunctionName(name) if self.is_variable(&name) => Ok(Expression::Get(self.named_place(&name)?)),
            Token::FunctionName(name) => self.call(&name),
            Token::Symbol("(") => self.grouping(),
            Token::Symbol("$") => {
                let index = match self.token {
                    Token::Symbol("-" | "+" | "!") => self.deeper(Self::unary)?,
                    _ => self.deeper(Self::primary)?,
                };
                // A step behind `$NF` is that of `NF`.
                let index = match index {
                    Expression::Get(place @ Place::Variable(Variable::Global(known::NF)))
                        if self.is("++") || self.is("--") =>
                    {
                        self.behind_place(place)?
                    }
                    index => index,
                };
                Ok(Expression::Get(Place::Field(Box::new(index))))
            }
            Token::Symbol(symbol @ ("++" | "--")) => match self.deeper(Self::primary)? {
                Expression::Get(place) => {
                    let by = if symbol == "++" { 1.0 } else { -1.0 };
                    Ok(Expression::Step { place, by, after: false })
                }
                _ => Err(self.unexpected()),
            },
            Token::Word("getline") => {
                let place = self.getline_place()?;
                let source = match self.take("<")? {
                    true => Source::File(Box::new(self.deeper(Self::primary)?)),
                    false => Source::Main,
                };
                Ok(Expression::Getline(place, source))
            }
            Token::Word(word) => match built_in(word) {
                Some(function) => self.built_in_call(function),
                None => Err(self.lexer.fault(format!("syntax error at or near {word}"))),
            },
            other => {
                self.token = other;
                Err(self.unexpected())
            }
        }
    }

    fn grouping(&mut self) -> Parsed<Expression> {
        let mut list = vec![self.unrestricted()?];
        while self.take(",")? {
            self.skip_newlines()?;
            list.push(self.unrestricted()?);
        }
        self.expect(")")?;
        Ok(match list.pop() {
            Some(single) if list.is_empty() => single,
            last => Expression::List(list.into_iter().chain(last).collect()),
        })
    }

    fn arguments(&mut self) -> Parsed<Vec<Expression>> {
        let mut arguments = Vec::new();
        self.skip_newlines()?;
        while !self.is(")") {
            arguments.push(self.unrestricted()?);
            self.skip_newlines()?;
            if !self.take(",")? {
                break;
            }
            self.skip_newlines()?;
        }
        self.expect(")")?;
        Ok(arguments)
    }

    fn call(&mut self, name: &[u8]) -> Parsed<Expression> {
        self.advance()?;
        let function = self.function_index(name);
        let arguments = self.arguments()?;
        for (position, argument) in arguments.iter().enumerate() {
            if let Expression::Get(Place::Variable(variable)) = argument {
                self.pass(*variable, function, position);
            }
        }
        Ok(Expression::Call(function, arguments))
    }

    fn built_in_call(&mut self, function: BuiltIn) -> Parsed<Expression> {
        if !self.is("(") {
            return match function {
                BuiltIn::Length => Ok(Expression::BuiltIn(function, Vec::new())),
                _ => Err(self.unexpected()),
            };
        }
        self.advance()?;
        let arguments = self.arguments()?;
        let (least, most) = arity(function);
        if !(least..=most).contains(&arguments.len()) {
            return Err(self.lexer.fault(format!("wrong number of arguments in call to {function:?}").to_lowercase()));
        }
        if function == BuiltIn::Split {
            match arguments.get(1) {
                Some(Expression::Get(Place::Variable(array))) => self.mark_array(*array),
                _ => return Err(self.unexpected()),
            }
        }
        if matches!(function, BuiltIn::Sub | BuiltIn::Gsub)
            && arguments.len() == 3
            && !matches!(arguments[2], Expression::Get(_))
        {
            return Err(self.lexer.fault("type error in arg(3) in call to sub or gsub"));
        }
        Ok(Expression::BuiltIn(function, arguments))
    }
}

// table: one line a function
fn built_in(word: &str) -> Option<BuiltIn> {
    Some(match word {
        "atan2" => BuiltIn::Atan2,
        "close" => BuiltIn::Close,
        "cos" => BuiltIn::Cos,
        "exp" => BuiltIn::Exp,
        "fflush" => BuiltIn::Fflush,
        "gsub" => BuiltIn::Gsub,
        "index" => BuiltIn::Index,
        "int" => BuiltIn::Int,
        "length" => BuiltIn::Length,
        "log" => BuiltIn::Log,
        "match" => BuiltIn::Match,
        "mktime" => BuiltIn::Mktime,
        "rand" => BuiltIn::Rand,
        "sin" => BuiltIn::Sin,
        "split" => BuiltIn::Split,
        "sprintf" => BuiltIn::Sprintf,
        "sqrt" => BuiltIn::Sqrt,
        "srand" => BuiltIn::Srand,
        "strftime" => BuiltIn::Strftime,
        "sub" => BuiltIn::Sub,
        "substr" => BuiltIn::Substr,
        "system" => BuiltIn::System,
        "systime" => BuiltIn::Systime,
        "tolower" => BuiltIn::Tolower,
        "toupper" => BuiltIn::Toupper,
        _ => return None,
    })
}

/// Fewest and most arguments.
fn arity(function: BuiltIn) -> (usize, usize) {
    match function {
        BuiltIn::Rand | BuiltIn::Systime => (0, 0),
        BuiltIn::Length | BuiltIn::Srand | BuiltIn::Fflush => (0, 1),
        BuiltIn::Strftime => (0, 3),
        BuiltIn::Atan2 | BuiltIn::Index | BuiltIn::Match => (2, 2),
        BuiltIn::Gsub | BuiltIn::Split | BuiltIn::Sub | BuiltIn::Substr => (2, 3),
        BuiltIn::Sprintf => (1, usize::MAX),
        _ => (1, 1),
    }
}
