//! tail: the last part of files.

use super::head::{each, index, obsolete};
use crate::shell::{Fatal, Process, Status, text::after_lines};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = obsolete(process.arguments());
    // `+5` is `-n +5`.
    if words.first().is_some_and(|word| word.len() > 1 && word[0] == b'+' && word[1..].iter().all(u8::is_ascii_digit)) {
        words.insert(0, b"-n".to_vec());
    }
    each(process, words, &|wanted, text| {
        let skip = match wanted.sign {
            Some(b'+') => wanted.count.saturating_sub(1),
            _ => wanted.total(text).saturating_sub(wanted.count),
        };
        if wanted.lines { after_lines(text, skip, wanted.end) } else { &text[index(skip).min(text.len())..] }
    })
}
