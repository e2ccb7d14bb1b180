use std::borrow::Cow;

use super::Scanner;
use crate::wire::Rejection;

/// Why reading a message ends before it does.
#[derive(Debug)]
pub(in crate::wire) enum Stop {
    /// The text is not JSON, or not of the form that a message has.
    Text { what: String },
    /// The text says what is not taken.
    Rejected(Rejection),
}

impl Stop {
    /// What is wrong, for a text that should be `what`.
    pub(in crate::wire) fn into_rejection(self, expected: &str) -> Rejection {
        match self {
            Self::Text { what } => {
                Rejection::Malformed(format!("the body is no {expected}: {what}"))
            }
            Self::Rejected(rejection) => rejection,
        }
    }
}

impl<T: Into<Rejection>> From<T> for Stop {
    fn from(rejection: T) -> Self {
        Self::Rejected(rejection.into())
    }
}

/// What is wrong with the text where the scanner is.
#[cold]
pub(super) fn syntax(what: impl AsRef<str>, scanner: &Scanner<'_>) -> Stop {
    let before = &scanner.text[..scanner.at];
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let column = 1 + before
        .iter()
        .rev()
        .take_while(|&&byte| byte != b'\n')
        .count();
    Stop::Text {
        what: format!("{} at line {line} column {column}", what.as_ref()),
    }
}

impl Scanner<'_> {
    /// That a value of another type stands here, or none.
    #[cold]
    pub(in crate::wire) fn unexpected(&self, expected: &str) -> Stop {
        match self.clone().value() {
            Ok(text) => self.invalid("type", text, expected),
            Err(stop) => stop,
        }
    }

    /// That no length of a dimension stands here.
    #[cold]
    pub(in crate::wire) fn no_length(&self) -> Stop {
        let expected = "a length that is not negative";
        match self.clone().value() {
            Ok(text) if kind(text) == "integer" => self.invalid("value", text, expected),
            Ok(text) => self.invalid("type", text, expected),
            Err(stop) => stop,
        }
    }

    fn invalid(&self, what: &str, text: &[u8], expected: &str) -> Stop {
        let (kind, found) = (kind(text), found(text));
        let what = format!("invalid {what}: {kind} `{found}`, expected {expected}");
        syntax(what, self)
    }

    /// That the field of an object is there more than once.
    #[cold]
    pub(in crate::wire) fn duplicate(&self, field: &str) -> Stop {
        syntax(format!("duplicate field `{field}`"), self)
    }

    /// That the object that ends here lacks a field.
    #[cold]
    pub(in crate::wire) fn missing(&self, field: &str) -> Stop {
        syntax(format!("missing field `{field}`"), self)
    }
}

/// What a value is, by its text.
fn kind(text: &[u8]) -> &'static str {
    match text.first() {
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        Some(b'[') => "sequence",
        Some(b'{') => "map",
        _ if text.iter().any(|byte| b".eE".contains(byte)) => "floating point",
        _ => "integer",
    }
}

/// A text as errors show it.
pub(in crate::wire) fn found(text: &[u8]) -> Cow<'_, str> {
    const SHOWN: usize = 40;
    match String::from_utf8_lossy(text) {
        shown if shown.chars().nth(SHOWN).is_none() => shown,
        long => Cow::Owned(long.chars().take(SHOWN).chain("...".chars()).collect()),
    }
}
