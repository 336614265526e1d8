//! Changes to the text of a `base.toml` that leave everything else as people wrote it.

use super::Hold;
use crate::date::Instant;

/// The text with another timestamp and hold. The caller reads the result again: a file of an unusual form stays what it is.
pub fn moved(text: &str, timestamp: Instant, hold: Option<&Hold>) -> String {
    let mut out = String::new();
    let mut table = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            table = line.split('#').next().unwrap_or_default().trim_end().to_owned();
        }
        if table == "[hold]" {
            continue;
        }
        let is_timestamp = table.is_empty() && line.split('=').next().is_some_and(|key| key.trim() == "timestamp");
        match line.splitn(3, '"').collect::<Vec<_>>().as_slice() {
            [before, _, after] if is_timestamp => {
                out.push_str(&format!("{before}\"{}\"{after}\n", timestamp.to_compact()));
            }
            _ => out.push_str(&format!("{line}\n")),
        }
    }
    let Some(Hold { instant, except }) = hold else {
        return format!("{}\n", out.trim_end());
    };
    let names: Vec<String> = except.iter().map(|name| format!("\"{name}\"")).collect();
    format!("{}\n\n[hold]\ntimestamp = \"{}\"\nexcept = [{}]\n", out.trim_end(), instant.to_compact(), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves() {
        let instant = |text: &str| Instant::from_compact(text).expect("a date");
        let text = "# a\nname = \"x\"\ntimestamp = \"20250101T000000Z\"\n\n[[archive]]\nname = \"u\"\n";
        let (old, new) = (instant("20250101T000000Z"), instant("20250201T000000Z"));
        let moved_only = text.replace("20250101", "20250201");
        assert_eq!(moved(text, new, None), moved_only);
        let hold = Hold { instant: old, except: vec!["a".to_owned(), "b".to_owned()] };
        let held = moved(text, new, Some(&hold));
        assert_eq!(held, format!("{moved_only}\n[hold]\ntimestamp = \"20250101T000000Z\"\nexcept = [\"a\", \"b\"]\n"));
        assert_eq!(moved(&held, new, None), moved_only);
        // Comments stay, and so does an archive's own timestamp.
        let text = "timestamp = \"20250101T000000Z\" # why\n[hold] # x\na = 1\n[[archive]]\ntimestamp = \"x\"\n";
        let expect = "timestamp = \"20250201T000000Z\" # why\n[[archive]]\ntimestamp = \"x\"\n";
        assert_eq!(moved(text, new, None), expect);
    }
}
