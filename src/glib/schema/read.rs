//! Files of schemas, read as `glib-compile-schemas` reads them.

use roxmltree::{Document, Node, ParsingOptions};

use super::{
    Enumeration, Fault, Schema, Schemas,
    key::{Key, Reason, Restriction, Setting, rejected, too_long},
    text_map::TextMap,
};
use crate::glib::variant::Type;

/// What a file has defined so far, for taking it back.
#[derive(Default)]
struct Defined {
    schemas: Vec<String>,
    enums: Vec<String>,
    flags: Vec<String>,
}

/// Where in a file a reason lies.
type Located = (usize, Reason);

pub(super) fn add(schemas: &mut Schemas, text: &str) -> Result<(), Fault> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| Fault::NotModelled {
        line: error.pos().row,
        reason: format!("XML that is not well-formed ({error})"),
    })?;
    let mut defined = Defined::default();
    let Err((place, reason)) = add_list(schemas, &mut defined, document.root_element()) else { return Ok(()) };
    let line = document.text_pos_at(place).row;
    match reason {
        Reason::NotModelled(reason) => Err(Fault::NotModelled { line, reason }),
        Reason::Rejected(reason) => {
            for id in defined.schemas.iter().rev() {
                schemas.schemas.remove(id.as_bytes());
            }
            defined.flags.iter().for_each(|id| drop(schemas.flags.remove(id)));
            defined.enums.iter().for_each(|id| drop(schemas.enums.remove(id)));
            Err(Fault::Rejected { line, reason })
        }
    }
}

fn add_list(schemas: &mut Schemas, defined: &mut Defined, list: Node<'_, '_>) -> Result<(), Located> {
    let at = |reason| (list.range().start, reason);
    if list.tag_name().name() != "schemalist" {
        return Err(at(not_allowed(list)));
    }
    let [domain] = attributes(list, [("gettext-domain", false)]).map_err(at)?;
    for node in elements(list)? {
        let at = |reason| (node.range().start, reason);
        match node.tag_name().name() {
            "schema" => add_schema(schemas, defined, node, domain)?,
            "enum" => {
                let [id] = attributes(node, [("id", true)]).map_err(at)?;
                let id = id.unwrap_or_default();
                if schemas.enums.contains_key(id) {
                    return Err(at(Reason::Rejected(format!("<enum id='{id}'> already specified"))));
                }
                defined.enums.push(id.to_owned());
                let values = enumeration(node, false)?;
                schemas.enums.insert(id.to_owned(), values);
            }
            "flags" => {
                let [id] = attributes(node, [("id", true)]).map_err(at)?;
                let id = id.unwrap_or_default();
                if schemas.flags.contains_key(id) {
                    return Err(at(Reason::Rejected(format!("<flags id='{id}'> already specified"))));
                }
                defined.flags.push(id.to_owned());
                let values = enumeration(node, true)?;
                schemas.flags.insert(id.to_owned(), values);
            }
            _ => return Err(at(not_allowed(node))),
        }
    }
    Ok(())
}

fn enumeration(list: Node<'_, '_>, flags: bool) -> Result<Enumeration, Located> {
    let mut values = TextMap::default();
    for node in elements(list)? {
        let at = |reason| (node.range().start, reason);
        if node.tag_name().name() != "value" {
            return Err(at(not_allowed(node)));
        }
        let [nick, value] = attributes(node, [("nick", true), ("value", true)]).map_err(at)?;
        add_value(&mut values, nick.unwrap_or_default(), value.unwrap_or_default(), flags).map_err(at)?;
    }
    if values.is_empty() {
        let reason = "an enumeration must contain at least one <value>".to_owned();
        return Err((list.range().start, Reason::Rejected(reason)));
    }
    Ok(Enumeration { values })
}

fn add_value(values: &mut TextMap, nick: &str, value: &str, flags: bool) -> Result<(), Reason> {
    if nick.len() < 2 {
        return rejected("nick must be a minimum of 2 characters");
    }
    let number = number(value).filter(|number| match flags {
        true => u32::try_from(*number).is_ok(),
        false => i32::try_from(*number).is_ok(),
    });
    let Some(number) = number else { return rejected("Invalid numeric value") };
    // Negative ones are stored as their two's complement.
    let word = u32::try_from(number & i64::from(u32::MAX)).unwrap_or_default();
    if values.has(nick) {
        return rejected(format!("<value nick='{nick}'/> already specified"));
    }
    if values.has_number(word) {
        return rejected(format!("value='{value}' already specified"));
    }
    if flags && word == 0 {
        return Ok(());
    }
    if flags && !word.is_power_of_two() {
        return rejected("flags values must have at most 1 bit set");
    }
    if values.push(nick, word) { Ok(()) } else { Err(too_long(nick)) }
}

/// A number as `strtoll` reads it with base 0.
fn number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    i64::from_str_radix(digits, radix).ok().filter(|_| plain).map(|number| sign * number)
}

fn add_schema(
    schemas: &mut Schemas,
    defined: &mut Defined,
    node: Node<'_, '_>,
    domain: Option<&str>,
) -> Result<(), Located> {
    let at = |reason| (node.range().start, reason);
    let names = [("id", true), ("path", false), ("gettext-domain", false), ("extends", false), ("list-of", false)];
    let [id, path, own_domain, extends, list_of] = attributes(node, names).map_err(at)?;
    let id = id.unwrap_or_default();
    let list_of = lineage(schemas, id, path, extends, list_of).map_err(at)?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let schema = Schema {
        path: owned(path),
        gettext_domain: owned(own_domain.or(domain)),
        extends: owned(extends),
        list_of,
        keys: Default::default(),
    };
    defined.schemas.push(id.to_owned());
    schemas.schemas.insert(id.as_bytes(), schema);
    for node in elements(node)? {
        let (name, key) = match node.tag_name().name() {
            "key" => add_key(schemas, id, node)?,
            "child" => add_child(schemas, id, node).map_err(|reason| (node.range().start, reason))?,
            "override" => add_override(schemas, id, node)?,
            _ => return Err((node.range().start, not_allowed(node))),
        };
        let schema = schemas.schemas.get_mut(id.as_bytes()).expect("it was put in above");
        schema.keys.insert(name.as_bytes(), key);
    }
    Ok(())
}

/// Checks what a schema extends and lists; what it is a list of.
fn lineage(
    schemas: &Schemas,
    id: &str,
    path: Option<&str>,
    extends: Option<&str>,
    list_of: Option<&str>,
) -> Result<Option<String>, Reason> {
    if schemas.get(id).is_some() {
        return rejected(format!("<schema id='{id}'> already specified"));
    }
    let mut list_of = list_of.map(str::to_owned);
    let mut extended = None;
    if let Some(name) = extends {
        extended = schemas.get(name);
        if extended.is_none() {
            return rejected(format!("<schema id='{id}'> extends not yet existing schema “{name}”"));
        }
    }
    if let Some(name) = &list_of {
        match schemas.get(name) {
            None => return rejected(format!("<schema id='{id}'> is list of not yet existing schema “{name}”")),
            Some(listed) if listed.path.is_some() => return rejected("Cannot be a list of a schema with a path"),
            Some(_) => {}
        }
    }
    if let Some(extended) = extended {
        if extended.path.is_some() {
            return rejected("Cannot extend a schema with a path");
        }
        match (&list_of, &extended.list_of) {
            (None, inherited) => list_of = inherited.clone(),
            (Some(_), None) => return rejected(format!("<schema id='{id}'> is a list, but extends none")),
            (Some(own), Some(inherited)) => {
                let class = schemas.get(own).expect("it was looked up above");
                let is_it =
                    own == inherited || schemas.ancestry(class).any(|class| class.extends.as_ref() == Some(inherited));
                if !is_it {
                    return rejected(format!("“{own}” does not extend “{inherited}”"));
                }
            }
        }
    }
    match path {
        Some(path) if !(path.starts_with('/') && path.ends_with('/')) => {
            rejected("A path, if given, must begin and end with a slash")
        }
        Some(path) if list_of.is_some() && !path.ends_with(":/") => rejected("The path of a list must end with “:/”"),
        _ => Ok(list_of),
    }
}

fn add_child(schemas: &Schemas, id: &str, node: Node<'_, '_>) -> Result<(String, Key), Reason> {
    let [name, schema] = attributes(node, [("name", true), ("schema", true)])?;
    let name = name.unwrap_or_default();
    check_name(name)?;
    let key = format!("{name}/");
    if schemas.get(id).is_some_and(|schema| schema.keys.get(key.as_bytes()).is_some()) {
        return rejected(format!("<child name='{name}'> already specified"));
    }
    Ok((key, Key::Child(schema.unwrap_or_default().to_owned())))
}

fn add_key(schemas: &Schemas, id: &str, node: Node<'_, '_>) -> Result<(String, Key), Located> {
    let at = |reason| (node.range().start, reason);
    let names = [("name", true), ("type", false), ("enum", false), ("flags", false)];
    let [name, kind, enumeration, flags] = attributes(node, names).map_err(at)?;
    let name = name.unwrap_or_default();
    let mut setting = new_setting(schemas, id, name, [kind, enumeration, flags]).map_err(at)?;
    for node in elements(node)? {
        let at = |reason| (node.range().start, reason);
        match node.tag_name().name() {
            "default" => {
                let [l10n, context] = attributes(node, [("l10n", false), ("context", false)]).map_err(at)?;
                setting.set_default(l10n, context, text(node)?).map_err(at)?;
            }
            "summary" | "description" => {
                let [] = attributes(node, []).map_err(at)?;
                text(node)?;
            }
            "range" => {
                let [least, most] = attributes(node, [("min", false), ("max", false)]).map_err(at)?;
                setting.set_range(least, most).map_err(at)?;
                elements(node)?.is_empty().then_some(()).ok_or_else(|| at(not_allowed(node)))?;
            }
            "choices" => choices(&mut setting, node)?,
            "aliases" => aliases(&mut setting, node)?,
            _ => return Err(at(not_allowed(node))),
        }
    }
    if setting.default.is_none() {
        return Err(at(Reason::Rejected("Element <default> is required in <key>".to_owned())));
    }
    Ok((name.to_owned(), Key::Setting(Box::new(setting))))
}

/// A key that has nothing in it yet; of type, enumeration and flags one is given.
fn new_setting(schemas: &Schemas, id: &str, name: &str, kinds: [Option<&str>; 3]) -> Result<Setting, Reason> {
    let schema = schemas.get(id).expect("the schema was put in before its keys");
    if schema.list_of.is_some() {
        return rejected("Cannot add keys to a “list-of” schema");
    }
    check_name(name)?;
    if schema.keys.get(name.as_bytes()).is_some() {
        return rejected(format!("<key name='{name}'> already specified"));
    }
    for above in schemas.ancestry(schema).skip(1) {
        let shadow = above.keys.get(name.as_bytes());
        if shadow.is_some_and(|key| !matches!(key, Key::Setting(setting) if setting.is_override)) {
            return rejected(format!("<key name='{name}'> shadows another; use <override> to modify value"));
        }
    }
    let has_domain = schema.gettext_domain.is_some();
    let undefined = |what: &str, id: &str| rejected(format!("<{what} id='{id}'> not (yet) defined."));
    match kinds {
        [Some(kind), None, None] => match Type::parse(kind.as_bytes()) {
            Some(kind) => Ok(Setting::new(kind, has_domain, Restriction::None, TextMap::default())),
            None => rejected(format!("Invalid GVariant type string “{kind}”")),
        },
        [None, Some(id), None] => match schemas.enums.get(id) {
            Some(found) => Ok(Setting::new(Type::STRING, has_domain, Restriction::Enum, found.values.clone())),
            None => undefined("enum", id),
        },
        [None, None, Some(id)] => match schemas.flags.get(id) {
            Some(found) => {
                let kind = Type::Array(Box::new(Type::STRING));
                Ok(Setting::new(kind, has_domain, Restriction::Flags, found.values.clone()))
            }
            None => undefined("flags", id),
        },
        _ => rejected("Exactly one of “type”, “enum” or “flags” must be specified as an attribute to <key>"),
    }
}

fn choices(setting: &mut Setting, list: Node<'_, '_>) -> Result<(), Located> {
    let at = |reason| (list.range().start, reason);
    let [] = attributes(list, []).map_err(at)?;
    setting.start_choices().map_err(at)?;
    for node in elements(list)? {
        let at = |reason| (node.range().start, reason);
        if node.tag_name().name() != "choice" {
            return Err(at(not_allowed(node)));
        }
        let [value] = attributes(node, [("value", true)]).map_err(at)?;
        setting.add_choice(value.unwrap_or_default()).map_err(at)?;
    }
    if setting.restriction != Restriction::Choices {
        return Err(at(Reason::Rejected("<choices> must contain at least one <choice>".to_owned())));
    }
    setting.check_default().map_err(at)
}

fn aliases(setting: &mut Setting, list: Node<'_, '_>) -> Result<(), Located> {
    let at = |reason| (list.range().start, reason);
    let [] = attributes(list, []).map_err(at)?;
    setting.start_aliases().map_err(at)?;
    for node in elements(list)? {
        let at = |reason| (node.range().start, reason);
        if node.tag_name().name() != "alias" {
            return Err(at(not_allowed(node)));
        }
        let [value, target] = attributes(node, [("value", true), ("target", true)]).map_err(at)?;
        setting.add_alias(value.unwrap_or_default(), target.unwrap_or_default()).map_err(at)?;
    }
    if setting.has_aliases {
        return Ok(());
    }
    Err(at(Reason::Rejected("<aliases> must contain at least one <alias>".to_owned())))
}

fn add_override(schemas: &Schemas, id: &str, node: Node<'_, '_>) -> Result<(String, Key), Located> {
    let at = |reason| (node.range().start, reason);
    let [name, l10n, context] = attributes(node, [("name", true), ("l10n", false), ("context", false)]).map_err(at)?;
    let name = name.unwrap_or_default();
    let reject = |reason: String| Err(at(Reason::Rejected(reason)));
    let schema = schemas.get(id).expect("the schema was put in before its keys");
    if schema.extends.is_none() {
        return reject("<override> given but schema isn’t extending anything".to_owned());
    }
    let original = schemas.ancestry(schema).skip(1).find_map(|above| above.keys.get(name.as_bytes()));
    let Some(Key::Setting(original)) = original else { return reject(format!("No <key name='{name}'> to override")) };
    if schema.keys.get(name.as_bytes()).is_some() {
        return reject(format!("<override name='{name}'> already specified"));
    }
    let mut setting = original.overriding(schema.gettext_domain.is_some());
    setting.set_default(l10n, context, text(node)?).map_err(at)?;
    Ok((name.to_owned(), Key::Setting(Box::new(setting))))
}

fn check_name(name: &str) -> Result<(), Reason> {
    let fine = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && !name.contains("--")
        && !name.ends_with('-')
        && name.len() <= 1024;
    if fine { Ok(()) } else { rejected(format!("Invalid name “{name}”")) }
}

/// The attributes of an element that may have these, some of which (`true`) it must have.
fn attributes<'d, const N: usize>(
    node: Node<'d, '_>,
    known: [(&str, bool); N],
) -> Result<[Option<&'d str>; N], Reason> {
    let element = node.tag_name().name();
    let other = node
        .attributes()
        .find(|attribute| attribute.namespace().is_none() && !known.iter().any(|(name, _)| *name == attribute.name()));
    if let Some(other) = other {
        return rejected(format!("attribute “{}” invalid for element “{element}”", other.name()));
    }
    if let Some((name, _)) = known.iter().find(|(name, needed)| *needed && node.attribute(*name).is_none()) {
        return rejected(format!("element “{element}” requires attribute “{name}”"));
    }
    Ok(known.map(|(name, _)| node.attribute(name)))
}

/// The elements in an element that has no text; those of other name spaces are no part of it.
fn elements<'d, 'i>(node: Node<'d, 'i>) -> Result<Vec<Node<'d, 'i>>, Located> {
    let words = node.children().find(|child| child.is_text() && !child.text().unwrap_or_default().trim().is_empty());
    if let Some(words) = words {
        let reason = format!("Text may not appear inside <{}>", node.tag_name().name());
        return Err((words.range().start, Reason::Rejected(reason)));
    }
    Ok(node.children().filter(|child| child.is_element() && child.tag_name().namespace().is_none()).collect())
}

/// The text in an element that has no other.
fn text(node: Node<'_, '_>) -> Result<String, Located> {
    let mut texts = String::new();
    for child in node.children() {
        if child.is_element() && child.tag_name().namespace().is_none() {
            return Err((child.range().start, not_allowed(child)));
        }
        texts.push_str(child.text().filter(|_| child.is_text()).unwrap_or_default());
    }
    Ok(texts)
}

fn not_allowed(node: Node<'_, '_>) -> Reason {
    let name = node.tag_name().name();
    match node.parent_element() {
        Some(parent) => Reason::Rejected(format!("Element <{name}> not allowed inside <{}>", parent.tag_name().name())),
        None => Reason::Rejected(format!("Element <{name}> not allowed at the top level")),
    }
}
