use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr2_iter;

/// A reader that knows on which line each byte lies that it has given.
///
/// The `csv` crate's own line numbers count a `\r\n` late and leave out empty lines; its byte offsets are exact.
pub(crate) struct Lines<R> {
    reader: R,
    offset: u64,
    line: u64,
    at_start: bool,
    after_return: bool,
    /// Where the lines start that are not empty, and their numbers from 1.
    starts: VecDeque<(u64, u64)>,
}

impl<R> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            offset: 0,
            line: 1,
            at_start: true,
            after_return: false,
            starts: VecDeque::new(),
        }
    }

    /// The first line that is not empty from this byte on. Offsets must not fall from call to call.
    pub(crate) fn line_from(&mut self, offset: u64) -> u64 {
        while self
            .starts
            .front()
            .is_some_and(|&(start, _)| start < offset)
        {
            self.starts.pop_front();
        }
        self.starts.front().map_or(self.line, |&(_, line)| line)
    }

    fn count(&mut self, bytes: &[u8]) {
        let mut from = 0;
        for end in memchr2_iter(b'\n', b'\r', bytes) {
            self.text(from..end);
            if bytes[end] == b'\n' && self.after_return && end == from {
                self.after_return = false;
            } else {
                self.line += 1;
                self.at_start = true;
                self.after_return = bytes[end] == b'\r';
            }
            from = end + 1;
        }
        self.text(from..bytes.len());
        self.offset += bytes.len() as u64;
    }

    /// Bytes, counted from the offset, among which no line ends.
    fn text(&mut self, bytes: Range<usize>) {
        if bytes.is_empty() {
            return;
        }
        if self.at_start {
            self.starts
                .push_back((self.offset + bytes.start as u64, self.line));
        }
        self.at_start = false;
        self.after_return = false;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.count(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_any_way() {
        let text = "one\ntwo\r\nthree\rfour\n\n\r\nseven";
        let mut lines = Lines::new(text.as_bytes());
        io::copy(&mut lines, &mut io::sink()).unwrap();
        let line = |word: &str| text.find(word).unwrap() as u64;
        for (number, word) in [
            (1, "one"),
            (2, "two"),
            (3, "three"),
            (4, "four"),
            (7, "seven"),
        ] {
            // Whether the offset is that of the word or of the line ends before it.
            assert_eq!(
                lines.line_from(line(word).saturating_sub(1)),
                number,
                "before {word}"
            );
            assert_eq!(lines.line_from(line(word)), number, "{word}");
        }
    }
}
