use std::borrow::Cow;

use super::Scanner;
use super::error::{Stop, syntax};

impl<'a> Scanner<'a> {
    /// Reads a string.
    pub(in crate::wire) fn string(&mut self, expected: &'static str) -> Result<Cow<'a, str>, Stop> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(expected));
        }
        let start = self.at;
        let has_escapes = self.find_end()?;
        let quoted = &self.text[start..self.at];
        if !has_escapes {
            return match std::str::from_utf8(&quoted[1..quoted.len() - 1]) {
                Ok(text) => Ok(Cow::Borrowed(text)),
                Err(_) => Err(syntax("a string that is no UTF-8", self)),
            };
        }
        match serde_json::from_slice(quoted) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => Err(syntax("a string that is no Unicode", self)),
        }
    }

    /// Goes on behind a string.
    pub(super) fn skip_string(&mut self) -> Result<(), Stop> {
        let start = self.at;
        self.find_end()?;
        if std::str::from_utf8(&self.text[start..self.at]).is_err() {
            return Err(syntax("a string that is no UTF-8", self));
        }
        Ok(())
    }

    /// Goes on behind a string, whatever its letters are, and says whether it has escapes.
    fn find_end(&mut self) -> Result<bool, Stop> {
        let mut has_escapes = false;
        self.at += 1;
        loop {
            let rest = self.rest();
            let special = rest
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\' || byte < b' ');
            let Some(special) = special else {
                self.at = self.text.len();
                return Err(syntax("EOF while parsing a string", self));
            };
            self.at += special;
            match rest[special] {
                b'"' => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                b'\\' => {
                    has_escapes = true;
                    self.at += self.escape_length()?;
                }
                _ => return Err(syntax("control character within a string", self)),
            }
        }
    }

    fn escape_length(&self) -> Result<usize, Stop> {
        match self.rest() {
            [
                _,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                ..,
            ] => Ok(2),
            [_, b'u', digits @ ..]
                if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) =>
            {
                Ok(6)
            }
            _ => Err(syntax("invalid escape", self)),
        }
    }
}
