use std::collections::VecDeque;
use std::io::{self, Read};

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
        for &byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.line += 1;
                    self.at_start = true;
                    self.after_return = byte == b'\r';
                }
                _ => {
                    if self.at_start {
                        self.starts.push_back((self.offset, self.line));
                    }
                    self.at_start = false;
                    self.after_return = false;
                }
            }
            self.offset += 1;
        }
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
