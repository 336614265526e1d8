//! One key of a schema: its value by default, and which values it may have.

use std::cmp::Ordering;

use super::text_map::TextMap;
use crate::glib::{
    hash::Table,
    variant::{self, Type, Value},
};

#[derive(Debug)]
pub(super) enum Key {
    /// The schema below.
    Child(String),
    Setting(Box<Setting>),
}

#[derive(Debug)]
pub(super) struct Setting {
    pub(super) kind: Type,
    pub(super) has_domain: bool,
    /// `m` for messages, `t` for times.
    pub(super) l10n: Option<u8>,
    pub(super) context: Option<String>,
    pub(super) unparsed: String,
    pub(super) default: Option<Value>,
    pub(super) desktops: Option<Table<Value>>,
    pub(super) texts: TextMap,
    pub(super) restriction: Restriction,
    pub(super) range: Option<(Value, Value)>,
    pub(super) has_aliases: bool,
    pub(super) is_override: bool,
}

/// Where a setting's texts are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restriction {
    None,
    Choices,
    Enum,
    Flags,
}

/// A reason for which a file is passed over, or one for which we can't tell.
#[derive(Debug)]
pub(super) enum Reason {
    Rejected(String),
    NotModelled(String),
}

pub(super) fn rejected<T>(reason: impl Into<String>) -> Result<T, Reason> {
    Err(Reason::Rejected(reason.into()))
}

impl From<variant::Fault> for Reason {
    fn from(fault: variant::Fault) -> Self {
        match fault {
            variant::Fault::NotModelled(_) => Self::NotModelled(fault.to_string()),
            _ => Self::Rejected(fault.to_string()),
        }
    }
}

impl Setting {
    pub(super) fn new(kind: Type, has_domain: bool, restriction: Restriction, texts: TextMap) -> Self {
        Self {
            kind,
            has_domain,
            l10n: None,
            context: None,
            unparsed: String::new(),
            default: None,
            desktops: None,
            texts,
            restriction,
            range: None,
            has_aliases: false,
            is_override: false,
        }
    }

    /// The same key with a default of its own, for a schema that extends this one's.
    pub(super) fn overriding(&self, has_domain: bool) -> Self {
        let restriction = match self.restriction {
            Restriction::Choices => Restriction::None,
            other => other,
        };
        let copy = Self::new(self.kind.clone(), has_domain, restriction, self.texts.clone());
        Self { is_override: true, range: self.range.clone(), ..copy }
    }

    pub(super) fn set_default(
        &mut self,
        l10n: Option<&str>,
        context: Option<&str>,
        text: String,
    ) -> Result<(), Reason> {
        match l10n {
            None if context.is_some() => return rejected("translation context given for value without l10n enabled"),
            None => {}
            Some("messages" | "time") if !self.has_domain => {
                return rejected("l10n requested, but no gettext domain given");
            }
            Some("messages") => self.l10n = Some(b'm'),
            Some("time") => self.l10n = Some(b't'),
            Some(other) => return rejected(format!("unsupported l10n category: {other}")),
        }
        if l10n.is_some() {
            self.context = context.map(str::to_owned);
        }
        self.default = Some(variant::parse(&self.kind, text.as_bytes())?);
        self.unparsed = text;
        self.check_default()
    }

    pub(super) fn set_range(&mut self, least: Option<&str>, most: Option<&str>) -> Result<(), Reason> {
        if self.range.is_some() {
            return rejected("<range/> already specified for this key");
        }
        let (lowest, highest) = match &self.kind {
            Type::Basic(b'y') => ("0", "255"),
            Type::Basic(b'n') => ("-32768", "32767"),
            Type::Basic(b'q') => ("0", "65535"),
            Type::Basic(b'i') => ("-2147483648", "2147483647"),
            Type::Basic(b'u') => ("0", "4294967295"),
            Type::Basic(b'x') => ("-9223372036854775808", "9223372036854775807"),
            Type::Basic(b't') => ("0", "18446744073709551615"),
            Type::Basic(b'd') => ("-inf", "inf"),
            _ => return rejected("<range> not allowed for keys of this type"),
        };
        let least = variant::parse(&self.kind, least.unwrap_or(lowest).as_bytes())?;
        let most = variant::parse(&self.kind, most.unwrap_or(highest).as_bytes())?;
        if least.compare(&most) == Some(Ordering::Greater) {
            return rejected("<range> specified minimum is greater than maximum");
        }
        self.range = Some((least, most));
        self.check_default()
    }

    pub(super) fn check_default(&self) -> Result<(), Reason> {
        let tag = if self.is_override { "override" } else { "default" };
        match &self.default {
            Some(value) if !self.in_range(value) => {
                rejected(format!("<{tag}> is not contained in the specified range"))
            }
            Some(value) if !self.is_choice(value) => rejected(format!("<{tag}> is not a valid member")),
            _ => Ok(()),
        }
    }

    pub(super) fn in_range(&self, value: &Value) -> bool {
        let Some((least, most)) = &self.range else { return true };
        value.compare(least) != Some(Ordering::Less) && value.compare(most) != Some(Ordering::Greater)
    }

    /// Whether every text of the value is one that the key may have. A range has the key's texts not looked at.
    pub(super) fn is_choice(&self, value: &Value) -> bool {
        if self.range.is_some() || self.texts.is_empty() {
            return true;
        }
        match value {
            Value::Text(text) => std::str::from_utf8(text).is_ok_and(|text| self.texts.has_text(text)),
            Value::Array(values) => values.iter().all(|value| self.is_choice(value)),
            Value::Maybe(value) => value.iter().all(|value| self.is_choice(value)),
            _ => false,
        }
    }

    pub(super) fn start_choices(&self) -> Result<(), Reason> {
        match self.restriction {
            Restriction::Enum => {
                return rejected("<choices> cannot be specified for keys tagged as having an enumerated type");
            }
            Restriction::Choices => return rejected("<choices> already specified for this key"),
            Restriction::None | Restriction::Flags => {}
        }
        let mut kind = &self.kind;
        while let Type::Maybe(inner) | Type::Array(inner) = kind {
            kind = inner;
        }
        if *kind == Type::STRING { Ok(()) } else { rejected("<choices> not allowed for keys of this type") }
    }

    pub(super) fn add_choice(&mut self, choice: &str) -> Result<(), Reason> {
        if self.restriction == Restriction::Flags {
            return Err(Reason::NotModelled("choices of flags".to_owned()));
        }
        if self.texts.has(choice) {
            return rejected(format!("<choice value='{choice}'/> already given"));
        }
        self.restriction = Restriction::Choices;
        if self.texts.push(choice, 0) { Ok(()) } else { Err(too_long(choice)) }
    }

    pub(super) fn start_aliases(&mut self) -> Result<(), Reason> {
        if self.has_aliases {
            return rejected("<aliases> already specified for this key");
        }
        if self.restriction == Restriction::None {
            return rejected(
                "<aliases> can only be specified for keys with enumerated or flags types or after <choices>",
            );
        }
        Ok(())
    }

    pub(super) fn add_alias(&mut self, alias: &str, target: &str) -> Result<(), Reason> {
        if self.texts.has(alias) {
            return rejected(format!("<alias value='{alias}'/> already specified"));
        }
        if !self.texts.has_text(target) {
            return rejected(format!("alias target “{target}” is not in the list of values"));
        }
        self.has_aliases = true;
        if self.texts.push_alias(alias, target) { Ok(()) } else { Err(too_long(alias)) }
    }
}

pub(super) fn too_long(text: &str) -> Reason {
    Reason::NotModelled(format!("`{text}`, which is longer than a text may be,"))
}
