//! Files that describe types.

use roxmltree::{Document, Node, ParsingOptions};

use super::{Database, Field, Glob, MimeType, NO_GLOBS, NotModelled, magic, magic::Magic, magic::Match, xml};

/// The name space of the specification's elements.
pub(super) const FREE: &str = "http://www.freedesktop.org/standards/shared-mime-info";

/// Why the rest of a type is passed over, or what we can't read.
#[derive(Debug)]
pub(super) enum Wrong {
    Said(String),
    NotModelled(String),
}

impl Wrong {
    pub(super) fn within(self, prefix: &str) -> Self {
        match self {
            Self::Said(text) => Self::Said(format!("{prefix}{text}")),
            other @ Self::NotModelled(_) => other,
        }
    }
}

pub(super) fn wrong<T>(text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Said(text.into()))
}

pub(super) fn add(database: &mut Database, text: &str) -> Result<Vec<String>, NotModelled> {
    // libxml2 would hand these on as they are written.
    for what in ["<!ENTITY", "<![CDATA["] {
        if let Some(place) = text.find(what) {
            let line = u32::try_from(text[..place].lines().count()).unwrap_or(u32::MAX);
            return Err(NotModelled { line, what: what.to_owned() });
        }
    }
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| NotModelled {
        line: error.pos().row,
        what: format!("XML that is not well-formed ({error})"),
    })?;
    let root = document.root_element();
    let tag = root.tag_name();
    if tag.namespace() != Some(FREE) {
        return Ok(vec![format!("Wrong namespace on document element (should be {FREE})")]);
    }
    if tag.name() != "mime-info" {
        return Ok(vec![format!("Root element <{}> is not <mime-info>", tag.name())]);
    }
    let mut said = Vec::new();
    for node in root.children().filter(|child| child.is_element()) {
        match add_type(database, node) {
            Ok(()) => {}
            Err(Wrong::Said(text)) => {
                let name = node.attribute("type").unwrap_or("unknown/unknown");
                said.push(format!("Error in type '{name}': {text}."));
            }
            Err(Wrong::NotModelled(what)) => {
                return Err(NotModelled { line: document.text_pos_at(node.range().start).row, what });
            }
        }
    }
    Ok(said)
}

fn add_type(database: &mut Database, node: Node<'_, '_>) -> Result<(), Wrong> {
    if !node.has_tag_name((FREE, "mime-type")) {
        return wrong("Excepted <mime-type>, but got wrong name or namespace");
    }
    let Some(name) = node.attribute("type") else { return wrong("<mime-type> element has no 'type' attribute") };
    if name.bytes().filter(|&byte| byte == b'/').count() != 1 {
        return wrong(format!("Invalid MIME-type '{name}'"));
    }
    let id = match database.by_name.get(name.as_bytes()) {
        Some(&id) => id,
        None => {
            database.types.push(MimeType { name: name.to_owned(), fields: Vec::new() });
            database.by_name.insert(name.as_bytes(), database.types.len() - 1);
            database.types.len() - 1
        }
    };
    for field in node.children().filter(|child| child.is_element()) {
        if field.tag_name().namespace() != Some(FREE) || field.default_namespace() != Some(FREE) {
            return Err(Wrong::NotModelled("an element of another name space".to_owned()));
        }
        if add_field(database, id, field)? {
            let xml = xml::element(field).map_err(|what| Wrong::NotModelled(what.to_owned()))?;
            let language = field.attribute((xml::XML, "lang")).map(str::to_owned);
            let comment = (field.tag_name().name() == "comment").then_some(language);
            let fields = &mut database.types[id].fields;
            // A comment takes the place of the first in its language.
            let old = fields.iter().position(|old| comment.is_some() && old.comment == comment);
            old.map(|index| fields.remove(index));
            fields.push(Field { comment, xml });
        }
    }
    Ok(())
}

/// Takes up what an element says; whether it is handed on to the type's file.
fn add_field(database: &mut Database, id: usize, field: Node<'_, '_>) -> Result<bool, Wrong> {
    let name = database.types[id].name.clone();
    let attribute = |name: &str| field.attribute(name);
    match field.tag_name().name() {
        "glob" => add_glob(database, id, field).map(|()| true),
        "glob-deleteall" => {
            let pattern = NO_GLOBS.to_owned();
            push_glob(database, Glob { pattern, mime_type: id, weight: 0, case_sensitive: false, deletes: true });
            Ok(true)
        }
        "magic" => {
            database.magic.push(magic::magic(field, id)?);
            Ok(false)
        }
        "magic-deleteall" => {
            database.magic.push(Magic { priority: 0, mime_type: id, matches: vec![Match::none()], deletes: true });
            Ok(false)
        }
        "treemagic" => {
            database.tree_magic.push(magic::tree_magic(field, id)?);
            Ok(false)
        }
        "comment" | "acronym" | "expanded-acronym" => Ok(true),
        element @ ("alias" | "sub-class-of") => {
            let Some(other) = attribute("type").filter(|other| other.contains('/')) else {
                return wrong(format!("Incorrect or missing 'type' attribute in <{element}>"));
            };
            if element == "alias" {
                database.aliases.insert(other.as_bytes(), id);
            } else if let Some(parents) = database.parents.get_mut(name.as_bytes()) {
                parents.push(other.to_owned());
            } else {
                database.parents.insert(name.as_bytes(), vec![other.to_owned()]);
            }
            Ok(true)
        }
        "root-XML" => {
            let key = namespace(attribute("namespaceURI"), attribute("localName"))?;
            database.namespaces.insert(key.as_bytes(), id);
            Ok(false)
        }
        element @ ("icon" | "generic-icon") => {
            let Some(icon) = attribute("name") else { return Ok(false) };
            let icons = if element == "icon" { &mut database.icons } else { &mut database.generic_icons };
            icons.insert(name.as_bytes(), icon.to_owned());
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn add_glob(database: &mut Database, id: usize, field: Node<'_, '_>) -> Result<(), Wrong> {
    let weight = level(field, "weight");
    let case_sensitive = boolean(field, "case-sensitive");
    let Some(pattern) = field.attribute("pattern").filter(|pattern| !pattern.is_empty()) else {
        return wrong("Missing 'pattern' attribute in <glob> element");
    };
    let Some(weight) = weight else { return Err(Wrong::NotModelled("a bad weight of a pattern".to_owned())) };
    if pattern.contains('\n') || pattern == "*" {
        return Err(Wrong::NotModelled("a pattern of that form".to_owned()));
    }
    let pattern = if case_sensitive { pattern.to_owned() } else { pattern.to_ascii_lowercase() };
    push_glob(database, Glob { pattern, mime_type: id, weight, case_sensitive, deletes: false });
    Ok(())
}

fn push_glob(database: &mut Database, glob: Glob) {
    let key = glob.pattern.clone();
    match database.globs.get_mut(key.as_bytes()) {
        Some(globs) => globs.push(glob),
        None => database.globs.insert(key.as_bytes(), vec![glob]),
    }
}

fn namespace(uri: Option<&str>, name: Option<&str>) -> Result<String, Wrong> {
    let Some(uri) = uri else { return wrong("Missing 'namespaceURI' attribute'") };
    let Some(name) = name else { return wrong("Missing 'localName' attribute'") };
    if uri.is_empty() && name.is_empty() {
        return wrong("namespaceURI and localName attributes can't both be empty");
    }
    if [uri, name].iter().any(|text| text.contains([' ', '\n'])) {
        return wrong("namespaceURI and localName cannot contain spaces or newlines");
    }
    Ok(format!("{uri} {name}"))
}

/// A number from 0 to 100, 50 when none is given.
pub(super) fn level(node: Node<'_, '_>, name: &str) -> Option<i32> {
    let Some(text) = node.attribute(name) else { return Some(50) };
    text.trim_ascii_start().parse().ok().filter(|level| (0..=100).contains(level))
}

pub(super) fn boolean(node: Node<'_, '_>, name: &str) -> bool {
    node.attribute(name) == Some("true")
}
