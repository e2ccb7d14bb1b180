//! JSON text, read in one pass without a tree of values.

mod error;
mod number;
mod text;

pub(super) use error::{Stop, found};
pub(super) use number::Number;

use std::borrow::Cow;

use error::syntax;

/// Where in a JSON text reading has come to.
#[derive(Clone)]
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// As many arrays and objects may lie within each other where nobody looks into them.
const DEPTH: usize = 128;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The text from here on.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Goes on by as many bytes, which have been looked at.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// The next byte that is no space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Goes on behind `byte` if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Goes on behind a `null` if it is next.
    pub(super) fn take_null(&mut self) -> Result<bool, Stop> {
        if self.peek() == Some(b'n') {
            self.literal(b"null")?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(syntax("trailing characters", self)),
        }
    }

    /// Reads an object: `member` reads the value of each key.
    pub(super) fn object(
        &mut self,
        expected: &'static str,
        mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if !self.take(b'{') {
            return Err(self.unexpected(expected));
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.broken("key must be a string"));
            }
            let key = self.string("a key")?;
            self.colon()?;
            member(self, key)?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.broken("expected `,` or `}`"));
            }
        }
    }

    /// Reads an array: `element` reads each of its values.
    pub(super) fn array(
        &mut self,
        expected: &'static str,
        mut element: impl FnMut(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if !self.take(b'[') {
            return Err(self.unexpected(expected));
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.broken("expected `,` or `]`"));
            }
        }
    }

    /// Reads the elements of an array and of all arrays in it, in order, and says how many there are. `element` reads as many
    /// as it says, which nothing but commas separates.
    #[inline]
    pub(super) fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self, usize) -> Result<usize, Stop>,
    ) -> Result<usize, Stop> {
        let (mut depth, mut count) = (0_usize, 0);
        loop {
            match self.peek() {
                Some(b'[') => {
                    self.at += 1;
                    depth += 1;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                _ => {
                    count += element(self, count)?;
                }
            }
            loop {
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        break;
                    }
                    Some(b']') => {
                        self.at += 1;
                        depth -= 1;
                        if depth == 0 {
                            return Ok(count);
                        }
                    }
                    _ => return Err(self.broken("expected `,` or `]`")),
                }
            }
        }
    }

    /// Reads the numbers that come next and that nothing but commas separates, as many as are found at once: perhaps none.
    #[inline]
    pub(super) fn numbers<T: Number>(&mut self, values: &mut [T]) -> usize {
        let (count, end) = number::run(self.text, self.at, values);
        self.at = end;
        count
    }

    /// Goes on behind the next value, whatever it is.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let mut open = Vec::new();
        loop {
            let opened = match self.peek() {
                Some(b'[') => Some(b']'),
                Some(b'{') => Some(b'}'),
                _ => None,
            };
            match opened {
                Some(close) => {
                    if open.len() == DEPTH {
                        return Err(syntax("more than 128 values within each other", self));
                    }
                    self.at += 1;
                    open.push(close);
                    if !self.take(close) {
                        self.key_of(close)?;
                        continue;
                    }
                    open.pop();
                }
                None => self.skip_scalar()?,
            }
            loop {
                let Some(&close) = open.last() else {
                    return Ok(());
                };
                if self.take(b',') {
                    self.key_of(close)?;
                    break;
                }
                if !self.take(close) {
                    return Err(self.broken("expected `,` or the end of an array or object"));
                }
                open.pop();
            }
        }
    }

    /// Goes on behind the next value and gives its text.
    pub(super) fn value(&mut self) -> Result<&'a [u8], Stop> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Within an object a key comes next, within an array none.
    fn key_of(&mut self, close: u8) -> Result<(), Stop> {
        if close == b']' {
            return Ok(());
        }
        if self.peek() != Some(b'"') {
            return Err(self.broken("key must be a string"));
        }
        self.skip_string()?;
        self.colon()
    }

    fn colon(&mut self) -> Result<(), Stop> {
        if self.take(b':') {
            Ok(())
        } else {
            Err(self.broken("expected `:`"))
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Stop> {
        match self.peek() {
            Some(b'"') => self.skip_string(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => match number::length(self.rest()) {
                Some(length) => {
                    self.at += length;
                    Ok(())
                }
                None => Err(syntax("invalid number", self)),
            },
            _ => Err(self.broken("expected value")),
        }
    }

    fn literal(&mut self, expected: &'static [u8]) -> Result<(), Stop> {
        if self.rest().starts_with(expected) {
            self.at += expected.len();
            Ok(())
        } else {
            Err(syntax("expected ident", self))
        }
    }

    /// That the text ends here, or that something else was expected.
    fn broken(&self, expected: &'static str) -> Stop {
        match self.rest() {
            [] => syntax("EOF while parsing a value", self),
            _ => syntax(expected, self),
        }
    }
}
