//! The file of one type, as libxml2 writes it.

use roxmltree::Node;

use super::{MimeType, read::FREE};

/// The name space of `xml:lang`.
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";

pub(super) fn file(mime_type: &MimeType) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned();
    out.push_str(&format!("<mime-type xmlns=\"{FREE}\" type=\"{}\">\n", attribute(&mime_type.name)));
    out.push_str("  <!--Created automatically by update-mime-database. DO NOT EDIT!-->\n");
    for field in &mime_type.fields {
        out.push_str("  ");
        out.push_str(&field.xml);
        out.push('\n');
    }
    out.push_str("</mime-type>\n");
    out
}

/// An element that has attributes and text; what it has otherwise, if it has that.
pub(super) fn element(node: Node<'_, '_>) -> Result<String, &'static str> {
    let name = node.tag_name().name();
    let mut out = format!("<{name}");
    for given in node.attributes() {
        let prefix = match given.namespace() {
            None => "",
            Some(XML) => "xml:",
            Some(_) => return Err("an attribute of another name space"),
        };
        out.push_str(&format!(" {prefix}{}=\"{}\"", given.name(), attribute(given.value())));
    }
    if node.children().next().is_none() {
        out.push_str("/>");
        return Ok(out);
    }
    out.push('>');
    for child in node.children() {
        if !child.is_text() {
            return Err("an element in a comment or pattern");
        }
        out.push_str(&text(child.text().unwrap_or_default()));
    }
    out.push_str(&format!("</{name}>"));
    Ok(out)
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

fn attribute(value: &str) -> String {
    text(value).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}
