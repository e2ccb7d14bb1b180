//! Where in a body of gRPC one message ends and the next begins.

/// What has come of the message that is under way: a flag, its length in four bytes, and what that says.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    prefix: usize,
    length: u32,
    left: usize,
}

const PREFIX: usize = 5;

impl Lengths {
    /// Goes on with the bytes that have come, and says whether a message ended with them or before.
    pub(super) fn received(&mut self, mut bytes: &[u8]) -> bool {
        let mut has_ended = false;
        while let Some((&first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let here = self.left.min(bytes.len());
                self.left -= here;
                bytes = &bytes[here..];
            } else {
                // The flag is shifted out.
                self.length = self.length << 8 | u32::from(first);
                self.prefix += 1;
                bytes = rest;
                if self.prefix < PREFIX {
                    continue;
                }
                self.prefix = 0;
                self.left = self.length as usize;
            }
            has_ended |= self.left == 0;
        }
        has_ended
    }

    /// Whether a message has begun that has not ended.
    pub(super) fn is_within(&self) -> bool {
        self.prefix > 0 || self.left > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_end_where_they_end(lengths in prop::collection::vec(0_usize..20, 0..10), cut in 1_usize..30) {
            let (mut body, mut ends) = (Vec::new(), Vec::new());
            for (flag, &length) in lengths.iter().enumerate() {
                body.push(flag as u8);
                body.extend_from_slice(&(length as u32).to_be_bytes());
                body.resize(body.len() + length, 0xff);
                ends.push(body.len());
            }
            let (mut seen, mut at) = (Lengths::default(), 0);
            for piece in body.chunks(cut) {
                let before = at;
                at += piece.len();
                let expected = ends.iter().any(|&end| before < end && end <= at);
                prop_assert_eq!(seen.received(piece), expected);
                prop_assert_eq!(seen.is_within(), !ends.contains(&at));
            }
        }
    }
}
