//! What the noninteractive front end answers to a question that it is asked to show.

use super::{Databases, database::Text};

/// The answer that is stored when a question of this type is shown to nobody; `None` for types that can't be shown.
pub(super) fn answer(databases: &Databases, question: &[u8]) -> Option<Text> {
    let value = databases.value(question);
    match databases.kind(question).as_slice() {
        b"boolean" | b"multiselect" | b"note" | b"password" | b"string" => Some(value),
        // An error is mailed to root or printed; neither has a reader when an image is built.
        b"error" | b"text" => Some(Text::new()),
        b"select" => {
            let choices = databases.choices_in_c(question);
            if choices.contains(&value) { Some(value) } else { Some(choices.into_iter().next().unwrap_or_default()) }
        }
        _ => None,
    }
}
