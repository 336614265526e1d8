//! Questions and templates over the three databases: owners, values, flags, substitutions.

use super::{
    Databases,
    database::{Item, Text},
    template::Templates,
};

impl Databases {
    pub(super) fn exists(&self, question: &[u8]) -> bool {
        self.config.contains(question) || self.passwords.contains(question)
    }

    pub(super) fn item(&self, question: &[u8]) -> Option<&Item> {
        self.config.get(question).or_else(|| self.passwords.get(question))
    }

    pub(super) fn item_mut(&mut self, question: &[u8]) -> Option<&mut Item> {
        if self.config.contains(question) { self.config.get_mut(question) } else { self.passwords.get_mut(question) }
    }

    /// Everybody who owns a question.
    pub fn owners(&self) -> Vec<Text> {
        let items = self.config.iter().chain(self.passwords.iter());
        let owners: std::collections::BTreeSet<&Text> = items.flat_map(|(_, item)| &item.owners).collect();
        owners.into_iter().cloned().collect()
    }

    /// The questions of a package with their answers, as debconf-show(1) prints them; a star stands before those that were
    /// asked.
    pub fn answers(&self, package: &[u8]) -> Vec<Text> {
        let mine = |name: &Text| self.item(name).is_some_and(|item| item.owners.contains(package));
        let mut lines = Vec::new();
        for name in self.questions().iter().filter(|name| mine(name)) {
            let star: &[u8] = if self.flag(name, b"seen") == b"true" { b"* " } else { b"  " };
            let value = self.value(name);
            let answer = match self.kind(name).as_slice() {
                b"password" => b" (password omitted)".to_vec(),
                _ if value.is_empty() => Text::new(),
                _ => [b" ", value.as_slice()].concat(),
            };
            lines.push([star, name, b":", &answer].concat());
        }
        lines
    }

    /// Names of all questions.
    pub(super) fn questions(&self) -> Vec<Text> {
        self.config.iter().chain(self.passwords.iter()).map(|(name, _)| name.clone()).collect()
    }

    /// Adds an owner; a question that was not there is made where its template's type belongs.
    pub(super) fn add_owner(&mut self, question: &[u8], owner: &[u8], kind: &[u8]) {
        let password = memchr::memmem::find(&kind.to_ascii_lowercase(), b"password").is_some();
        let into_passwords = !self.config.contains(question) && (self.passwords.contains(question) || password);
        let items = if into_passwords { &mut self.passwords } else { &mut self.config };
        items.add_owner(question, owner);
    }

    pub(super) fn remove_owner(&mut self, question: &[u8], owner: &[u8]) {
        let template = self.item(question).and_then(|item| item.fields.get(b"template".as_slice()).cloned());
        let items = if self.config.contains(question) { &mut self.config } else { &mut self.passwords };
        items.remove_owner(question, owner);
        if let Some(template) = template.filter(|name| !name.is_empty())
            && !self.exists(question)
        {
            self.templates.remove_owner(&template, question);
        }
    }

    pub(super) fn set_field(&mut self, question: &[u8], field: &[u8], value: &[u8]) {
        if let Some(item) = self.item_mut(question) {
            item.fields.insert(field.to_vec(), value.to_vec());
        }
    }

    pub(super) fn flag(&self, question: &[u8], flag: &[u8]) -> Text {
        let stored = |flag: &[u8]| {
            self.item(question).and_then(|item| item.flags.get(flag).cloned()).unwrap_or_else(|| b"false".to_vec())
        };
        if flag == b"isdefault" { opposite(&stored(b"seen")) } else { stored(flag) }
    }

    pub(super) fn set_flag(&mut self, question: &[u8], flag: &[u8], value: &[u8]) {
        let (flag, value) =
            if flag == b"isdefault" { (b"seen".as_slice(), opposite(value)) } else { (flag, value.to_vec()) };
        if let Some(item) = self.item_mut(question) {
            item.flags.insert(flag.to_vec(), value);
        }
    }

    /// Makes a question of this template, or makes the template one of a question that is there.
    pub(super) fn set_template(&mut self, question: &[u8], template: &[u8]) {
        let old = self.item(question).and_then(|item| item.fields.get(b"template".as_slice()).cloned());
        if old.as_deref() == Some(template) {
            return;
        }
        if let Some(old) = old.filter(|name| !name.is_empty()) {
            self.templates.remove_owner(&old, question);
        }
        self.set_field(question, b"template", template);
        self.templates.add_owner(template, question);
    }

    /// Loads the templates of a package, with a question for each that has none.
    pub(super) fn load(&mut self, templates: &Templates, owner: &[u8]) {
        for fields in &templates.0 {
            let (name, kind) = (&fields[b"template".as_slice()], &fields[b"type".as_slice()]);
            self.new_template(name, owner, kind);
            if let Some(item) = self.templates.get_mut(name) {
                item.fields = fields.clone();
                item.fields.remove(b"template".as_slice());
            }
        }
    }

    pub(super) fn new_template(&mut self, name: &[u8], owner: &[u8], kind: &[u8]) {
        let known = self.templates.contains(name);
        self.add_question(name, owner, kind, name);
        if !known {
            self.templates.add_owner(name, name);
            if let Some(item) = self.templates.get_mut(name) {
                item.fields.insert(b"type".to_vec(), kind.to_vec());
            }
        }
    }

    /// Adds the owner to a question, which is made of `template` when it is not there.
    pub(super) fn add_question(&mut self, name: &[u8], owner: &[u8], kind: &[u8], template: &[u8]) {
        let made = !self.exists(name);
        self.add_owner(name, owner, kind);
        if made {
            self.set_flag(name, b"seen", b"false");
            self.set_template(name, template);
        }
    }

    pub(super) fn template(&self, name: &[u8]) -> Option<&Item> {
        self.templates.get(name)
    }

    pub(super) fn template_mut(&mut self, name: &[u8]) -> Option<&mut Item> {
        self.templates.get_mut(name)
    }

    /// A field of a question's template in English: `FIELD-en`, else `FIELD`, else the field that a suffix qualifies.
    pub(super) fn template_field(&self, question: &[u8], field: &[u8]) -> Text {
        self.translated(question, field, b"-en")
    }

    /// The field as scripts compare it, which a template may give apart from English as `FIELD-C`.
    pub(super) fn template_field_in_c(&self, question: &[u8], field: &[u8]) -> Text {
        self.translated(question, field, b"-c")
    }

    fn translated(&self, question: &[u8], field: &[u8], suffix: &[u8]) -> Text {
        let template = self.item(question).and_then(|item| item.fields.get(b"template".as_slice()));
        let Some(template) = template.and_then(|name| self.templates.get(name)) else { return Text::new() };
        let plain = field.split(|&b| b == b'-').next().unwrap_or(field);
        let names = [[field, suffix].concat(), field.to_vec(), plain.to_vec()];
        names.iter().find_map(|name| template.fields.get(name)).cloned().unwrap_or_default()
    }

    pub(super) fn kind(&self, question: &[u8]) -> Text {
        self.template_field(question, b"type")
    }

    /// The answer, else the template's default.
    pub(super) fn value(&self, question: &[u8]) -> Text {
        let answer = self.item(question).and_then(|item| item.fields.get(b"value".as_slice()));
        answer.cloned().unwrap_or_else(|| self.template_field(question, b"default"))
    }

    /// Replaces `${variable}` by the question's substitutions; `\${variable}` loses its backslash.
    pub(super) fn expand(&self, question: &[u8], text: &[u8]) -> Text {
        let variables = self.item(question).map(|item| &item.variables);
        let mut out = Text::new();
        let mut rest = text;
        while let Some((before, name, after)) = variable(rest) {
            if let Some(before) = before.strip_suffix(b"\\") {
                out.extend_from_slice(before);
                out.extend_from_slice(b"${");
                out.extend_from_slice(name);
                out.push(b'}');
            } else {
                out.extend_from_slice(before);
                out.extend_from_slice(variables.and_then(|known| known.get(name)).map_or(b"", Vec::as_slice));
            }
            rest = after;
        }
        out.extend_from_slice(rest);
        out
    }

    /// The choices of a select question, substituted and taken apart.
    pub(super) fn choices_in_c(&self, question: &[u8]) -> Vec<Text> {
        split_list(&self.expand(question, &self.template_field_in_c(question, b"choices")))
    }
}

fn opposite(value: &[u8]) -> Text {
    if value == b"true" { b"false".to_vec() } else { b"true".to_vec() }
}

/// The first `${name}` of a text: what is before, the name, what is after.
fn variable(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut from = 0;
    loop {
        let start = from + memchr::memmem::find(&text[from..], b"${")?;
        let name = &text[start + 2..];
        let end = name.iter().position(|b| matches!(b, b'{' | b'}'))?;
        if end > 0 && name[end] == b'}' {
            return Some((&text[..start], &name[..end], &name[end + 1..]));
        }
        from = start + 2;
    }
}

/// Takes `a, b\, c` apart at commas that blanks follow; `\,` and `\ ` stand for themselves.
fn split_list(text: &[u8]) -> Vec<Text> {
    let mut items = Vec::new();
    let mut item = Text::new();
    let mut at = 0;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            (b'\\', Some(&escaped)) if matches!(escaped, b',' | b' ') => {
                item.push(escaped);
                at += 2;
            }
            (b',', Some(next)) if next.is_ascii_whitespace() => {
                items.push(std::mem::take(&mut item));
                at += 1;
                while text.get(at).is_some_and(u8::is_ascii_whitespace) {
                    at += 1;
                }
            }
            (byte, _) => {
                item.push(byte);
                at += 1;
            }
        }
    }
    if !item.is_empty() {
        items.push(item);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_choices() {
        let check = |text: &str, expect: &[&str]| {
            let items: Vec<_> = split_list(text.as_bytes())
                .into_iter()
                .map(|item| String::from_utf8_lossy(&item).into_owned())
                .collect();
            assert_eq!(items, expect, "{text}");
        };
        check("", &[]);
        check("one", &["one"]);
        check("one, two,  three", &["one", "two", "three"]);
        check(r"a\, b, c\ d", &["a, b", "c d"]);
        check("a,b, c", &["a,b", "c"]);
    }

    #[test]
    fn expands_variables() {
        let mut databases = Databases::default();
        databases.add_question(b"q", b"p", b"string", b"q");
        databases.item_mut(b"q").expect("made").variables.insert(b"x".to_vec(), b"1".to_vec());
        let check = |text: &str, expect: &str| {
            assert_eq!(databases.expand(b"q", text.as_bytes()), expect.as_bytes(), "{text}");
        };
        check("a ${x} b ${y}.", "a 1 b .");
        check(r"\${x} ${x}", "${x} 1");
        check("${ ${x", "${ ${x");
        check("${{x} ${x}", "${{x} 1");
    }
}
