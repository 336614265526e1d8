//! Texts whose placeholders are replaced by values.

use std::collections::BTreeMap;

use regex::Regex;

use super::LoadFault;

/// The text with every placeholder replaced: `marks` stand before and behind a name.
pub(super) fn fill(text: &str, marks: &[String; 2], values: &BTreeMap<String, String>) -> Result<String, LoadFault> {
    let [open, close] = marks;
    // Without marks a placeholder is a whole word.
    let edge = if open.is_empty() { r"\b" } else { "" };
    let pattern = format!("{edge}{}([A-Z][A-Z0-9_]*){}{edge}", regex::escape(open), regex::escape(close));
    let pattern = Regex::new(&pattern).expect("a pattern of escaped marks");
    let mut out = String::new();
    let mut used: BTreeMap<&str, bool> = values.keys().map(|name| (name.as_str(), false)).collect();
    let mut at = 0;
    while let Some(found) = pattern.captures_at(text, at) {
        let (whole, name) = (found.get_match(), &found[1]);
        out.push_str(&text[at..whole.start()]);
        match values.get(name) {
            Some(value) => out.push_str(value),
            None if open.is_empty() => out.push_str(whole.as_str()),
            None => {
                let line = text[..whole.start()].matches('\n').count() + 1;
                return Err(LoadFault::NoValue { placeholder: whole.as_str().to_owned(), line });
            }
        }
        if let Some(used) = used.get_mut(name) {
            *used = true;
        }
        at = whole.end();
    }
    out.push_str(&text[at..]);
    match used.into_iter().find(|(_, used)| !used) {
        Some((name, _)) => Err(LoadFault::NoPlaceholder(format!("{open}{name}{close}"))),
        None => Ok(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_placeholders() {
        let check = |text: &str, marks: [&str; 2], values: &[(&str, &str)], expect: Result<&str, &str>| {
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let got = fill(text, &marks.map(str::to_owned), &values).map_err(|error| error.to_string());
            assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned), "{text}");
        };
        let at = ["@", "@"];
        check("root_hash=@ROOT_HASH@\n", at, &[("ROOT_HASH", "ab")], Ok("root_hash=ab\n"));
        check("@A@@A@ me@example.org", at, &[("A", "@A@")], Ok("@A@@A@ me@example.org"));
        check("a\n@A@ @B@", at, &[("A", "x")], Err("line 2: placeholder `@B@` has no value"));
        check("@A@", at, &[("A", "x"), ("C", "y")], Err("there is no placeholder `@C@`"));
        check("{{A}} @A@", ["{{", "}}"], &[("A", "x")], Ok("x @A@"));
        check("a=ROOT_HASH OTHER_ROOT_HASH", ["", ""], &[("ROOT_HASH", "x")], Ok("a=x OTHER_ROOT_HASH"));
        check("a", ["", ""], &[("NNS", "x")], Err("there is no placeholder `NNS`"));
    }
}
