//! Functions that awk has.

use std::rc::Rc;

use super::{
    BuiltIn, Expression, Place, known,
    places::Slot,
    random::Random,
    record::Splitter,
    run::{Run, Stop},
    streams,
    value::{Value, clamp},
};
use crate::shell::time::{Moment, days, format as format_time};

impl Run<'_, '_, '_> {
    fn value(&mut self, arguments: &[Expression], index: usize) -> Result<Value, Stop> {
        arguments.get(index).map_or(Ok(Value::Nothing), |argument| self.evaluate(argument))
    }

    fn bytes(&mut self, arguments: &[Expression], index: usize) -> Result<Rc<[u8]>, Stop> {
        let value = self.value(arguments, index)?;
        Ok(self.text_of(&value))
    }

    fn float(&mut self, arguments: &[Expression], index: usize) -> Result<f64, Stop> {
        Ok(self.value(arguments, index)?.number())
    }

    // table: one arm a function
    pub(super) fn built_in(&mut self, function: BuiltIn, arguments: &[Expression]) -> Result<Value, Stop> {
        Ok(match function {
            BuiltIn::Atan2 => Value::Number(self.float(arguments, 0)?.atan2(self.float(arguments, 1)?)),
            BuiltIn::Cos => Value::Number(self.float(arguments, 0)?.cos()),
            BuiltIn::Exp => Value::Number(self.float(arguments, 0)?.exp()),
            BuiltIn::Int => Value::Number(self.float(arguments, 0)?.trunc()),
            BuiltIn::Log => Value::Number(self.float(arguments, 0)?.ln()),
            BuiltIn::Sin => Value::Number(self.float(arguments, 0)?.sin()),
            BuiltIn::Sqrt => Value::Number(self.float(arguments, 0)?.sqrt()),
            BuiltIn::Rand => Value::Number(self.random.next()),
            BuiltIn::Srand => self.seed(arguments)?,
            BuiltIn::Close => {
                let name = self.bytes(arguments, 0)?;
                Value::Number(f64::from(self.streams.close(self.process, &name)?))
            }
            BuiltIn::Fflush => {
                let name = if arguments.is_empty() { None } else { Some(self.bytes(arguments, 0)?) };
                self.streams.flush(self.process)?;
                let open = name.is_none_or(|name| self.streams.is_output(&name));
                Value::Number(if open { 0.0 } else { -1.0 })
            }
            BuiltIn::System => {
                let command = self.bytes(arguments, 0)?;
                self.streams.flush(self.process)?;
                Value::Number(f64::from(streams::run(self.process, &command, None, None)?))
            }
            BuiltIn::Index => {
                let (text, part) = (self.bytes(arguments, 0)?, self.bytes(arguments, 1)?);
                Value::Number(memchr::memmem::find(&text, &part).map_or(0.0, |at| at as f64 + 1.0))
            }
            BuiltIn::Length => Value::Number(self.length(arguments)? as f64),
            BuiltIn::Match => self.matched(arguments)?,
            BuiltIn::Split => self.split(arguments)?,
            BuiltIn::Sprintf => {
                let mut text = Vec::new();
                self.formatted(arguments, &mut text)?;
                Value::Text(text.into())
            }
            BuiltIn::Sub => self.substitute(arguments, false)?,
            BuiltIn::Gsub => self.substitute(arguments, true)?,
            BuiltIn::Substr => self.substr(arguments)?,
            BuiltIn::Tolower => Value::text(&self.bytes(arguments, 0)?.to_ascii_lowercase()),
            BuiltIn::Toupper => Value::text(&self.bytes(arguments, 0)?.to_ascii_uppercase()),
            BuiltIn::Systime => Value::Number(self.now()),
            BuiltIn::Strftime => self.strftime(arguments)?,
            BuiltIn::Mktime => self.mktime(arguments)?,
        })
    }

    fn now(&self) -> f64 {
        self.process.machine.epoch.seconds() as f64
    }

    /// The seed before; one that is no number is as good as 1.
    fn seed(&mut self, arguments: &[Expression]) -> Result<Value, Stop> {
        let seed = if arguments.is_empty() { Value::Number(self.now()) } else { self.value(arguments, 0)? };
        self.random = Random::new(seed.as_number().map_or(1, clamp));
        Ok(std::mem::replace(&mut self.seed, seed))
    }

    fn length(&mut self, arguments: &[Expression]) -> Result<usize, Stop> {
        if let [Expression::Get(Place::Variable(variable))] = arguments
            && let Slot::Array(array) = self.slot_clone(*variable)
        {
            return Ok(array.borrow().len());
        }
        if arguments.is_empty() {
            let record = self.get(&super::places::Target::Field(0))?;
            return Ok(self.text_of(&record).len());
        }
        Ok(self.bytes(arguments, 0)?.len())
    }

    fn matched(&mut self, arguments: &[Expression]) -> Result<Value, Stop> {
        let text = self.bytes(arguments, 0)?;
        let regex = self.pattern(&arguments[1])?;
        let (start, length) = match regex.find(&text, 0)? {
            Some((start, end)) => (start as f64 + 1.0, (end - start) as f64),
            None => (0.0, -1.0),
        };
        self.set_known(known::RSTART, Value::Number(start));
        self.set_known(known::RLENGTH, Value::Number(length));
        Ok(Value::Number(start))
    }

    fn split(&mut self, arguments: &[Expression]) -> Result<Value, Stop> {
        let text = self.bytes(arguments, 0)?;
        let splitter = match arguments.get(2) {
            None => {
                let separator = self.known(known::FS);
                self.splitter(&separator)?
            }
            Some(Expression::Regex(regex)) if regex.is_empty() => Splitter::Nothing,
            Some(Expression::Regex(regex)) => Splitter::Regex(Rc::clone(regex)),
            Some(separator) => {
                let separator = self.evaluate(separator)?;
                self.splitter(&separator)?
            }
        };
        let Some(Expression::Get(Place::Variable(variable))) = arguments.get(1) else {
            return Err(Stop::Error("type error in arg(2) in call to split".to_owned()));
        };
        let parts = splitter.split(&text)?;
        let array = self.array(*variable)?;
        let mut array = array.borrow_mut();
        array.clear();
        for (index, part) in parts.iter().enumerate() {
            array.insert((index + 1).to_string().into_bytes().into(), Value::input(part));
        }
        Ok(Value::Number(parts.len() as f64))
    }

    /// Both numbers lose their fractions. A start before the text lengthens what is taken by all that is before the text's
    /// first place but one, which is mawk's own arithmetic, overflow included.
    fn substr(&mut self, arguments: &[Expression]) -> Result<Value, Stop> {
        let text = self.bytes(arguments, 0)?;
        let length = i32::try_from(text.len()).unwrap_or(i32::MAX);
        let start = clamp(self.float(arguments, 1)?).wrapping_sub(1);
        let wanted = match arguments.len() {
            3 => clamp(self.float(arguments, 2)?),
            _ => length,
        };
        let wanted = if start < 0 { wanted.wrapping_sub(start + 1) } else { wanted };
        let start = start.clamp(0, length);
        let end = start + wanted.clamp(0, length - start);
        let place = |place: i32| usize::try_from(place).unwrap_or(0);
        Ok(Value::text(&text[place(start)..place(end)]))
    }

    fn substitute(&mut self, arguments: &[Expression], global: bool) -> Result<Value, Stop> {
        let regex = self.pattern(&arguments[0])?;
        let replacement = self.bytes(arguments, 1)?;
        let target = match arguments.get(2) {
            None => super::places::Target::Field(0),
            Some(Expression::Get(place)) => self.target(place)?,
            Some(_) => return Err(Stop::Error("type error in arg(3) in call to sub or gsub".to_owned())),
        };
        let old = self.get(&target)?;
        let text = self.text_of(&old);
        let mut out = Vec::new();
        let (mut at, mut count) = (0, 0);
        let mut last = None;
        while at <= text.len() {
            let Some((start, end)) = regex.find(&text, at)? else { break };
            out.extend_from_slice(&text[at..start]);
            // An empty match where the one before ended is none.
            if start < end || last != Some(start) {
                replace(&replacement, &text[start..end], &mut out);
                count += 1;
            }
            at = end;
            last = Some(end);
            if start == end {
                out.extend(text.get(at));
                at += 1;
            }
            if !global {
                break;
            }
        }
        if count > 0 {
            out.extend_from_slice(text.get(at..).unwrap_or_default());
            self.set(&target, Value::Text(out.into()))?;
        }
        Ok(Value::Number(f64::from(count)))
    }

    fn strftime(&mut self, arguments: &[Expression]) -> Result<Value, Stop> {
        let format = if arguments.is_empty() { Rc::from(b"%c".as_slice()) } else { self.bytes(arguments, 0)? };
        let seconds = if arguments.len() < 2 { self.now() } else { self.float(arguments, 1)? };
        let text = format_time(&Moment::new(seconds as i64, 0), &format);
        text.map(|text| Value::text(&text)).map_err(|what| Stop::Fatal(self.process.not_modelled(what)))
    }

    /// `YYYY MM DD HH MM SS` as seconds.
    fn mktime(&mut self, arguments: &[Expression]) -> Result<Value, Stop> {
        let text = self.bytes(arguments, 0)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let numbers: Option<Vec<i64>> = text.split_whitespace().take(6).map(|word| word.parse().ok()).collect();
        let bound = |n: &i64| n.abs() < 1_000_000;
        Ok(Value::Number(match numbers.as_deref() {
            Some(&[year, month, day, hour, minute, second])
                if [year, month, day, hour, minute, second].iter().all(bound) =>
            {
                (days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second) as f64
            }
            _ => -1.0,
        }))
    }
}

/// The replacement with `&` as what matched; a backslash takes its meaning from that and from another.
fn replace(replacement: &[u8], matched: &[u8], out: &mut Vec<u8>) {
    let mut rest = replacement;
    loop {
        rest = match rest {
            [b'\\', byte @ (b'\\' | b'&'), rest @ ..] => {
                out.push(*byte);
                rest
            }
            [b'&', rest @ ..] => {
                out.extend_from_slice(matched);
                rest
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
            [] => return,
        };
    }
}
