//! Prometheus' text format.

use std::fmt::{Display, Write};

/// Families of samples, one after the other.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Names and values, which may be any text.
pub(super) type Labels<'a> = [(&'a str, &'a str)];

/// A family that samples are added to.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Exposition {
    /// Media type of the text.
    pub(super) const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a family; its unit is in its name, and `help` is one line without a backslash.
    pub(super) fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Family<'a> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let text = &mut self.0;
        put(
            text,
            format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
        );
        if let Some(unit) = unit(name) {
            put(text, format_args!("# UNIT {name} {unit}\n"));
        }
        Family { text, name }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: &Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// Adds a histogram of so many observations up to each bound and beyond the last bound. Observations below a bound are
    /// not counted in it when they were in one before.
    pub(super) fn histogram(
        &mut self,
        labels: &Labels<'_>,
        buckets: impl IntoIterator<Item = (f64, u64)>,
        beyond: u64,
        sum: f64,
    ) {
        let mut count = 0;
        for (bound, more) in buckets {
            count += more;
            self.line("_bucket", labels, Some(&bound), count);
        }
        count += beyond;
        self.line("_bucket", labels, Some(&"+Inf"), count);
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, count);
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &Labels<'_>,
        bound: Option<&dyn Display>,
        value: impl Display,
    ) {
        put(self.text, format_args!("{}{suffix}", self.name));
        let mut before = '{';
        for (name, value) in labels {
            put(self.text, format_args!("{before}{name}=\""));
            escape(self.text, value);
            self.text.push('"');
            before = ',';
        }
        if let Some(bound) = bound {
            put(self.text, format_args!("{before}le=\"{bound}\""));
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        put(self.text, format_args!(" {value}\n"));
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes all text");
}

fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn unit(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix("_total").unwrap_or(name);
    let (_, last) = name.rsplit_once('_')?;
    ["seconds", "bytes"].into_iter().find(|unit| *unit == last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_buckets_add_up() {
        let mut exposition = Exposition::default();
        let labels = [("model", "a\"b\\c\nd"), ("version", "1")];
        exposition
            .family("x_total", Kind::Counter, "Some.")
            .sample(&labels, 3);
        exposition
            .family("up", Kind::Gauge, "Whether.")
            .sample(&[], 1);
        let mut took = exposition.family("took_seconds", Kind::Histogram, "How long.");
        took.histogram(&[], [(0.00001, 1), (0.5, 2)], 4, 1.5);
        let expected = r#"# HELP x_total Some.
# TYPE x_total counter
x_total{model="a\"b\\c\nd",version="1"} 3
# HELP up Whether.
# TYPE up gauge
up 1
# HELP took_seconds How long.
# TYPE took_seconds histogram
# UNIT took_seconds seconds
took_seconds_bucket{le="0.00001"} 1
took_seconds_bucket{le="0.5"} 3
took_seconds_bucket{le="+Inf"} 7
took_seconds_sum 1.5
took_seconds_count 7
"#;
        assert_eq!(exposition.into_text(), expected);
    }
}
