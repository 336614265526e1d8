//! Values of expressions, and calls.

use std::rc::Rc;

use super::{
    Binary, Comparison, Expression, Place, Source, known,
    places::{Slot, Target},
    record::next_record,
    run::{Flow, Run, Stop},
    value::Value,
};
use crate::shell::regex::Regex;

/// Calls inside calls.
const MAX_CALLS: u32 = 200;

impl Run<'_, '_, '_> {
    pub(super) fn holds(&mut self, expression: &Expression) -> Result<bool, Stop> {
        Ok(self.evaluate(expression)?.is_true())
    }

    fn number(&mut self, expression: &Expression) -> Result<f64, Stop> {
        Ok(self.evaluate(expression)?.number())
    }

    // table: one arm a kind of expression
    pub(super) fn evaluate(&mut self, expression: &Expression) -> Result<Value, Stop> {
        Ok(match expression {
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(Rc::clone(text)),
            Expression::Regex(regex) => {
                let record = self.get(&super::places::Target::Field(0))?;
                let text = self.text_of(&record);
                Value::truth(regex.is_match(&text)?)
            }
            Expression::Get(place) => {
                let target = self.target(place)?;
                self.get(&target)?
            }
            Expression::Assign(place, operator, value) => self.assign_to(place, *operator, value)?,
            Expression::Step { place, by, after } => {
                let target = self.target(place)?;
                let old = self.get(&target)?.number();
                self.set(&target, Value::Number(old + by))?;
                Value::Number(if *after { old } else { old + by })
            }
            Expression::Conditional(condition, then, other) => {
                let chosen = if self.holds(condition)? { then } else { other };
                self.evaluate(chosen)?
            }
            Expression::And(a, b) => Value::truth(self.holds(a)? && self.holds(b)?),
            Expression::Or(a, b) => Value::truth(self.holds(a)? || self.holds(b)?),
            Expression::Not(inner) => Value::truth(!self.holds(inner)?),
            Expression::Negate(inner) => Value::Number(-self.number(inner)?),
            Expression::Plus(inner) => Value::Number(self.number(inner)?),
            Expression::In(keys, array) => {
                let key = self.key(keys)?;
                let array = self.array(*array)?;
                let found = array.borrow().contains_key(&key);
                Value::truth(found)
            }
            Expression::Matches { text, pattern, negated } => {
                let text = self.evaluate(text)?;
                let text = self.text_of(&text);
                let regex = self.pattern(pattern)?;
                Value::truth(regex.is_match(&text)? != *negated)
            }
            Expression::Compare(comparison, a, b) => {
                let (a, b) = (self.evaluate(a)?, self.evaluate(b)?);
                let order = a.compare(&b, &self.known_text(known::CONVFMT));
                Value::truth(match comparison {
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                })
            }
            Expression::Concat(a, b) => {
                let (a, b) = (self.evaluate(a)?, self.evaluate(b)?);
                let whole = [&*self.text_of(&a), &*self.text_of(&b)].concat();
                self.process.machine.text(whole.len())?;
                Value::Text(whole.into())
            }
            Expression::Arithmetic(operator, a, b) => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                Value::Number(calculate(*operator, a, b))
            }
            Expression::Call(function, arguments) => self.call(*function, arguments)?,
            Expression::BuiltIn(function, arguments) => {
                let value = self.built_in(*function, arguments)?;
                if let Value::Text(text) = &value {
                    self.process.machine.text(text.len())?;
                }
                value
            }
            Expression::Getline(place, source) => Value::Number(self.getline(place.as_ref(), source)?),
            Expression::List(_) => return Err(Stop::Error("a list is no value".to_owned())),
        })
    }

    fn assign_to(&mut self, place: &Place, operator: Option<Binary>, value: &Expression) -> Result<Value, Stop> {
        let target = self.target(place)?;
        if let Target::Element(..) = target {
            // The element is there before its value.
            self.get(&target)?;
        }
        let value = self.evaluate(value)?;
        let value = match operator {
            None => value,
            Some(operator) => Value::Number(calculate(operator, self.get(&target)?.number(), value.number())),
        };
        self.set(&target, value.clone())?;
        Ok(value)
    }

    /// An expression as a pattern: what is between slashes, or a text.
    pub(super) fn pattern(&mut self, expression: &Expression) -> Result<Rc<Regex>, Stop> {
        if let Expression::Regex(regex) = expression {
            return Ok(Rc::clone(regex));
        }
        let value = self.evaluate(expression)?;
        let text = self.text_of(&value);
        self.regex(&text)
    }

    fn call(&mut self, index: usize, arguments: &[Expression]) -> Result<Value, Stop> {
        let program = self.program;
        let function = &program.functions[index];
        if arguments.len() > function.parameters {
            return Err(Stop::Error("too many arguments in a call of a function".to_owned()));
        }
        self.process.machine.step()?;
        if self.calls >= MAX_CALLS {
            return Err(Stop::Fatal(crate::shell::Fatal::Limit { what: "nested calls", limit: MAX_CALLS.into() }));
        }
        let mut slots = Vec::with_capacity(function.parameters);
        for position in 0..function.parameters {
            let array = function.arrays.get(position).copied().unwrap_or(false);
            slots.push(match arguments.get(position) {
                None => Slot::new(array),
                Some(Expression::Get(Place::Variable(variable))) if array => self.slot_clone(*variable),
                Some(_) if array => return Err(Stop::Error("type error in a call of a function".to_owned())),
                Some(argument) => Slot::Scalar(self.evaluate(argument)?),
            });
        }
        let (frame, length) = (self.frame, self.locals.len());
        self.frame = length;
        self.locals.extend(slots);
        self.calls += 1;
        let flow = self.block(&function.body);
        self.calls -= 1;
        self.locals.truncate(length);
        self.frame = frame;
        match flow? {
            Flow::Return(value) => Ok(value),
            Flow::Exit => Err(Stop::Exit),
            // None of the others leaves a function: the parser refuses them.
            _ => Ok(Value::Nothing),
        }
    }

    /// 1 for a record, 0 at the end, -1 when there is nothing to read from.
    fn getline(&mut self, place: Option<&Place>, source: &Source) -> Result<f64, Stop> {
        let text = match source {
            Source::Main => match self.next_main()? {
                Some(text) => text,
                None => return Ok(0.0),
            },
            Source::File(name) | Source::Command(name) => {
                let command = matches!(source, Source::Command(_));
                let name = self.evaluate(name)?;
                let name = self.text_of(&name);
                let separator = self.record_separator()?;
                let Some(input) = self.streams.input(self.process, &name, command)? else { return Ok(-1.0) };
                let Some((record, next)) = next_record(&input.text, input.at, &separator)? else { return Ok(0.0) };
                let record: Rc<[u8]> = record.into();
                input.at = next;
                record
            }
        };
        match place {
            Some(place) => {
                let target = self.target(place)?;
                self.set(&target, Value::Input(text))?;
            }
            None => self.set_record(text)?,
        }
        Ok(1.0)
    }
}

fn calculate(operator: Binary, a: f64, b: f64) -> f64 {
    match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Remainder => a % b,
        Binary::Power => a.powf(b),
    }
}
