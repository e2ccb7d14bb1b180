/// Who asked, by the header `traceparent` of W3C's Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceParent<'a> {
    pub(super) trace_id: &'a str,
    pub(super) parent_id: &'a str,
}

impl<'a> TraceParent<'a> {
    /// `None` for what is not well formed, which the specification has ignored.
    pub(super) fn parse(header: &'a str) -> Option<Self> {
        let mut fields = header.split('-');
        let mut hex = |digits| fields.next().filter(|field| is_hex(field, digits));
        let version = hex(2)?;
        let (trace_id, parent_id, _flags) = (hex(32)?, hex(16)?, hex(2)?);
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        // Later versions may have more fields.
        let is_over = fields.next().is_none() || version != "00";
        let is_valid = version != "ff" && !is_zero(trace_id) && !is_zero(parent_id);
        (is_valid && is_over).then_some(Self {
            trace_id,
            parent_id,
        })
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_specification_allows_is_taken() {
        let (trace_id, parent_id) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let parsed = Some(TraceParent {
            trace_id,
            parent_id,
        });
        for taken in [
            format!("00-{trace_id}-{parent_id}-01"),
            format!("cc-{trace_id}-{parent_id}-01-more"),
        ] {
            assert_eq!(TraceParent::parse(&taken), parsed, "{taken}");
        }
        let zeros = "0".repeat(32);
        for refused in [
            String::new(),
            format!("00-{trace_id}-{parent_id}"),
            format!("00-{trace_id}-{parent_id}-01-more"),
            format!("ff-{trace_id}-{parent_id}-01"),
            format!("00-{zeros}-{parent_id}-01"),
            format!("00-{trace_id}-{}-01", &zeros[..16]),
            format!("00-{}-{parent_id}-01", trace_id.to_uppercase()),
        ] {
            assert_eq!(TraceParent::parse(&refused), None, "{refused}");
        }
    }
}
