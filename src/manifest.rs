//! The definition files that people write (`base.toml`, `image.toml`, `overlay.toml`), read into validated types.

use serde::de::DeserializeOwned;

use crate::nearest::nearest;

pub mod base;
pub mod image;
pub mod overlay;
pub mod project;
pub mod size;
pub mod skip;
pub mod uri;

/// Why a definition file was refused, with the place in it.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("{file}:{line}:{column}: {message}")]
    Syntax { file: String, line: usize, column: usize, message: String, hint: Option<String> },
    #[error("{file}: {message}")]
    Invalid { file: String, message: String, hint: Option<String> },
}

impl ManifestError {
    pub fn invalid(file: &str, message: impl Into<String>) -> Self {
        Self::Invalid { file: file.to_owned(), message: message.into(), hint: None }
    }

    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Syntax { hint, .. } | Self::Invalid { hint, .. } => hint.as_deref(),
        }
    }
}

/// Reads TOML whose every key must be known to `T` (which says so by `#[serde(deny_unknown_fields)]`).
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ManifestError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or(text);
        let message = error.message().to_owned();
        ManifestError::Syntax {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            hint: hint(&message),
            message,
        }
    })
}

fn hint(message: &str) -> Option<String> {
    if message.starts_with("invalid type: map, expected a sequence") {
        return Some("each entry of an array of tables begins with its name in double brackets: `[[...]]`".to_owned());
    }
    if let Some(rest) = message.strip_prefix("invalid type: integer `")
        && let Some((number, expected)) = rest.split_once('`')
        && expected.contains("string")
    {
        return Some(format!("put it in quotes: `\"{number}\"`"));
    }
    did_you_mean(message)
}

/// Serde names the unknown key or variant first and the known ones after it, all in backticks.
fn did_you_mean(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    let best = nearest(unknown, quoted, 1);
    best.first().map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "packages")]
        _packages: Vec<String>,
    }

    #[test]
    fn points_at_the_fault() {
        let check = |text: &str, expect: &str, hint: Option<&str>| {
            let error = read::<Sample>("x.toml", text).expect_err("refused");
            assert_eq!((error.to_string().as_str(), error.hint()), (expect, hint));
        };
        check(
            "packages = []\npakages = 1\n",
            "x.toml:2:1: unknown field `pakages`, expected `packages`",
            Some("did you mean `packages`?"),
        );
        check(
            "packages = [1]\n",
            "x.toml:1:13: invalid type: integer `1`, expected a string",
            Some("put it in quotes: `\"1\"`"),
        );
        check(
            "[packages]\na = 1\n",
            "x.toml:1:1: invalid type: map, expected a sequence",
            Some("each entry of an array of tables begins with its name in double brackets: `[[...]]`"),
        );
        check("packages = [\n", "x.toml:1:13: unclosed array, expected `]`", None);
    }
}
