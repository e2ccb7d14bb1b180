//! A line chart as a part of an SVG document.

use std::fmt::{self, Write};

use crate::axis::Axis;
use crate::text::Escaped;

/// With more points than this a line has no markers.
const MARKERS_UP_TO: usize = 40;

/// What is left around the plot for labels.
const LEFT: f64 = 78.0;
const RIGHT: f64 = 24.0;
const ABOVE: f64 = 62.0;
const BELOW: f64 = 56.0;

/// Lines in one frame.
///
/// ```
/// use maas_chart::{Chart, Mark, Series};
///
/// let chart = Chart::new("Loss", "epoch", "loss")
///     .counting()
///     .series(Series::new("training", "#1f6fb4", [(1.0, 0.9), (2.0, 0.4)]))
///     .mark(Mark { point: (2.0, 0.4), text: "the best".into() });
/// # let _ = chart;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Chart {
    title: String,
    x_label: String,
    y_label: String,
    counts: bool,
    series: Vec<Series>,
    mark: Option<Mark>,
}

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Series {
    name: String,
    colour: String,
    points: Vec<(f64, f64)>,
}

/// A point to ring, on a dashed line from top to bottom.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Where it is.
    pub point: (f64, f64),
    /// What the legend says about it.
    pub text: String,
}

impl Series {
    /// A line of this name and colour through points in ascending order of x.
    ///
    /// See [`Chart`] for an example.
    pub fn new(
        name: impl Into<String>,
        colour: impl Into<String>,
        points: impl Into<Vec<(f64, f64)>>,
    ) -> Self {
        Self {
            name: name.into(),
            colour: colour.into(),
            points: points.into(),
        }
    }
}

impl Chart {
    /// An empty chart; a series without points is left out of it.
    ///
    /// See the type for an example.
    pub fn new(
        title: impl Into<String>,
        x_label: impl Into<String>,
        y_label: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            x_label: x_label.into(),
            y_label: y_label.into(),
            counts: false,
            series: Vec::new(),
            mark: None,
        }
    }

    /// A horizontal axis of counted things, with ticks at whole numbers only.
    ///
    /// See the type for an example.
    pub fn counting(self) -> Self {
        Self {
            counts: true,
            ..self
        }
    }

    /// Adds a line.
    ///
    /// See the type for an example.
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Marks a point.
    ///
    /// See the type for an example.
    pub fn mark(self, mark: impl Into<Option<Mark>>) -> Self {
        Self {
            mark: mark.into(),
            ..self
        }
    }
}

/// Where in the document a chart stands.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Frame {
    /// Left, right, top and bottom of the plot itself.
    fn plot(self) -> [f64; 4] {
        [
            self.left + LEFT,
            self.left + self.width - RIGHT,
            self.top + ABOVE,
            self.top + self.height - BELOW,
        ]
    }
}

impl Chart {
    pub(crate) fn write(&self, svg: &mut String, frame: Frame) -> fmt::Result {
        let [left, right, top, bottom] = frame.plot();
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = match self.counts {
            true => Axis::counting(points().map(|point| point.0)),
            false => Axis::over(points().map(|point| point.0)),
        };
        let y = Axis::over(points().map(|point| point.1).filter(|y| y.is_finite()));
        let place = |point: (f64, f64)| {
            (
                left + x.place(point.0) * (right - left),
                bottom - y.place(point.1) * (bottom - top),
            )
        };

        write!(
            svg,
            r#"<text x="{left}" y="{:.1}" font-size="15" font-weight="bold">{}</text>"#,
            frame.top + 26.0,
            Escaped(&self.title)
        )?;
        for (value, label) in y.ticks() {
            let (_, at) = place((x.low(), value));
            write!(
                svg,
                r##"<path d="M{left} {at:.1}H{right}" stroke="#e3e3e3"/>"##
            )?;
            write!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"#,
                left - 9.0,
                at + 4.5
            )?;
        }
        for (value, label) in x.ticks() {
            let (at, _) = place((value, 1.0));
            write!(svg, r##"<path d="M{at:.1} {bottom}v5" stroke="#555555"/>"##)?;
            write!(
                svg,
                r#"<text x="{at:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
                bottom + 21.0
            )?;
        }
        write!(
            svg,
            r##"<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#555555"/>"##
        )?;
        write!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            (left + right) / 2.0,
            bottom + 42.0,
            Escaped(&self.x_label)
        )?;
        let (across, middle) = (frame.left + 20.0, (top + bottom) / 2.0);
        write!(
            svg,
            r#"<text x="{across}" y="{middle:.1}" text-anchor="middle" transform="rotate(-90 {across} {middle:.1})">{}</text>"#,
            Escaped(&self.y_label)
        )?;
        if let Some(mark) = &self.mark {
            let (x, _) = place((mark.point.0, 1.0));
            write!(
                svg,
                r##"<path d="M{x:.1} {top}V{bottom}" stroke="#888888" stroke-dasharray="4 4"/>"##
            )?;
        }
        for series in &self.series {
            line(svg, series, place)?;
        }
        if let Some(mark) = self.mark.as_ref().filter(|mark| mark.point.1.is_finite()) {
            let (x, y) = place(mark.point);
            ring(svg, x, y)?;
        }
        self.legend(svg, left, frame.top + 46.0)
    }

    /// Entries above the plot, so that they never cover a line.
    fn legend(&self, svg: &mut String, mut x: f64, y: f64) -> fmt::Result {
        for series in self
            .series
            .iter()
            .filter(|series| !series.points.is_empty())
        {
            write!(
                svg,
                r#"<path d="M{x:.1} {y}h24" stroke="{}" stroke-width="2.5"/>"#,
                series.colour
            )?;
            write!(
                svg,
                r#"<text x="{:.1}" y="{:.1}">{}</text>"#,
                x + 31.0,
                y + 4.5,
                Escaped(&series.name)
            )?;
            x += 52.0 + 6.6 * series.name.chars().count() as f64;
        }
        if let Some(mark) = self.mark.as_ref().filter(|mark| mark.point.1.is_finite()) {
            ring(svg, x + 7.0, y)?;
            write!(
                svg,
                r#"<text x="{:.1}" y="{:.1}">{}</text>"#,
                x + 21.0,
                y + 4.5,
                Escaped(&mark.text)
            )?;
        }
        Ok(())
    }
}

fn ring(svg: &mut String, x: f64, y: f64) -> fmt::Result {
    write!(
        svg,
        r##"<circle cx="{x:.1}" cy="{y:.1}" r="6.5" fill="none" stroke="#333333" stroke-width="1.5"/>"##
    )
}

fn line(
    svg: &mut String,
    series: &Series,
    place: impl Fn((f64, f64)) -> (f64, f64),
) -> fmt::Result {
    for run in series
        .points
        .split(|point| !point.1.is_finite())
        .filter(|run| !run.is_empty())
    {
        write!(
            svg,
            r#"<polyline fill="none" stroke="{}" stroke-width="2" stroke-linejoin="round" points=""#,
            series.colour
        )?;
        for &point in run {
            let (x, y) = place(point);
            write!(svg, "{x:.1},{y:.1} ")?;
        }
        svg.push_str(r#""/>"#);
        if series.points.len() <= MARKERS_UP_TO {
            for &point in run {
                let (x, y) = place(point);
                write!(
                    svg,
                    r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{}"/>"#,
                    series.colour
                )?;
            }
        }
    }
    Ok(())
}
