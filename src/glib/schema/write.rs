//! Schemas to the tables of a GVDB file.

use super::{
    Schema, Schemas,
    key::{Key, Restriction, Setting},
};
use crate::glib::{
    gvdb::{self, Item, Names, TooLarge},
    variant::{Type, Value},
};

pub(super) fn file(schemas: &Schemas) -> Result<Vec<u8>, TooLarge> {
    let mut names = Names::with_root();
    for (id, schema) in schemas.schemas.iter() {
        names.insert_below_root(id, Item::Table(table(schema)));
    }
    gvdb::file(&names)
}

fn table(schema: &Schema) -> Names {
    let mut names = Names::with_root();
    let mut translated = false;
    for (name, key) in schema.keys.iter() {
        let (kind, value) = match key {
            Key::Child(schema) => (Type::STRING, Value::Text(schema.clone().into_bytes())),
            Key::Setting(setting) => {
                translated |= setting.l10n.is_some();
                serialised(setting)
            }
        };
        names.insert_below_root(name, Item::Value(kind, value));
    }
    let attributes = [
        (".path", &schema.path),
        (".extends", &schema.extends),
        (".list-of", &schema.list_of),
        (".gettext-domain", if translated { &schema.gettext_domain } else { &None }),
    ];
    for (name, value) in attributes {
        if let Some(value) = value {
            names.insert_text(name.as_bytes(), value.as_bytes());
        }
    }
    names
}

/// Members of a tuple, with their types.
#[derive(Default)]
struct Members {
    types: Vec<Type>,
    values: Vec<Value>,
}

impl Members {
    fn push(&mut self, kind: Type, value: Value) {
        self.types.push(kind);
        self.values.push(value);
    }

    /// Adds a letter with what it introduces.
    fn push_marked(&mut self, mark: u8, kind: Type, value: Value) {
        let kind = Type::Tuple(vec![Type::BYTE, kind]);
        self.push(kind, Value::Tuple(vec![Value::Integer(mark.into()), value]));
    }
}

fn serialised(setting: &Setting) -> (Type, Value) {
    let mut members = Members::default();
    // A key without a default is refused where it ends.
    members.push(setting.kind.clone(), setting.default.clone().unwrap_or(Value::Maybe(None)));
    if let Some(category) = setting.l10n {
        let text = setting.unparsed.trim_matches(|letter: char| letter.is_ascii_whitespace());
        let text = match &setting.context {
            Some(context) => format!("{context}\x04{text}"),
            None => text.to_owned(),
        };
        let value = Value::Tuple(vec![Value::Integer(category.into()), Value::Text(text.into_bytes())]);
        members.push_marked(b'l', Type::Tuple(vec![Type::BYTE, Type::STRING]), value);
    }
    if !setting.texts.is_empty() {
        let mark = match setting.restriction {
            Restriction::Flags => b'f',
            Restriction::Enum => b'e',
            Restriction::None | Restriction::Choices => b'c',
        };
        let words = setting.texts.numbers().map(|word| Value::Integer(word.into())).collect();
        members.push_marked(mark, Type::Array(Box::new(Type::UINT32)), Value::Array(words));
    }
    if let Some((least, most)) = &setting.range {
        let kind = Type::Tuple(vec![setting.kind.clone(), setting.kind.clone()]);
        members.push_marked(b'r', kind, Value::Tuple(vec![least.clone(), most.clone()]));
    }
    if let Some(desktops) = &setting.desktops {
        let entry = |(desktop, value): (&[u8], &Value)| {
            let inside = Value::Variant(Box::new((setting.kind.clone(), value.clone())));
            Value::Tuple(vec![Value::Text(desktop.to_vec()), inside])
        };
        let kind = Type::Array(Box::new(Type::Entry(Box::new((Type::STRING, Type::Basic(b'v'))))));
        members.push_marked(b'd', kind, Value::Array(desktops.iter().map(entry).collect()));
    }
    (Type::Tuple(members.types), Value::Tuple(members.values))
}
