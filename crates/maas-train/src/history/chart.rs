//! A line chart as SVG.

use std::fmt::{self, Write};

use super::axis::Axis;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 736.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 384.0;
/// With more points than this a line has no markers.
const MARKERS_UP_TO: usize = 40;

/// Lines over counted things. Values that are not finite leave a gap.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    /// Those without points are left out.
    pub(super) series: Vec<Series>,
    /// A point to ring, with its value written in the legend.
    pub(super) mark: Option<(f64, f64)>,
}

pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) colour: &'static str,
    /// Ascending in x.
    pub(super) points: Vec<(f64, f64)>,
}

impl Chart {
    pub(super) fn to_svg(&self) -> String {
        let mut svg = String::new();
        self.write(&mut svg)
            .expect("writing to a string does not fail");
        svg
    }

    fn write(&self, svg: &mut String) -> fmt::Result {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let first = points().map(|point| point.0).fold(f64::INFINITY, f64::min);
        let last = points()
            .map(|point| point.0)
            .fold(f64::NEG_INFINITY, f64::max);
        let x = if first <= last {
            Axis::counting(first, last)
        } else {
            Axis::counting(1.0, 1.0)
        };
        let y = Axis::over(points().map(|point| point.1).filter(|y| y.is_finite()));
        let place = |point: (f64, f64)| {
            (
                LEFT + x.place(point.0) * (RIGHT - LEFT),
                BOTTOM - y.place(point.1) * (BOTTOM - TOP),
            )
        };

        write!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#333333">"##
        )?;
        write!(
            svg,
            r##"<title>{}</title><rect width="100%" height="100%" fill="#ffffff"/>"##,
            self.title
        )?;
        write!(
            svg,
            r#"<text x="{LEFT}" y="28" font-size="17" font-weight="bold">{}</text>"#,
            self.title
        )?;
        for (value, label) in y.ticks() {
            let (_, at) = place((first, value));
            write!(
                svg,
                r##"<path d="M{LEFT} {at:.1}H{RIGHT}" stroke="#e3e3e3"/>"##
            )?;
            write!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"#,
                LEFT - 9.0,
                at + 4.5
            )?;
        }
        for (value, label) in x.whole_ticks() {
            let (at, _) = place((value, 1.0));
            write!(svg, r##"<path d="M{at:.1} {BOTTOM}v5" stroke="#555555"/>"##)?;
            write!(
                svg,
                r#"<text x="{at:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
                BOTTOM + 21.0
            )?;
        }
        write!(
            svg,
            r##"<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#555555"/>"##
        )?;
        write!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            (LEFT + RIGHT) / 2.0,
            HEIGHT - 14.0,
            self.x_label
        )?;
        let middle = (TOP + BOTTOM) / 2.0;
        write!(
            svg,
            r#"<text x="20" y="{middle:.1}" text-anchor="middle" transform="rotate(-90 20 {middle:.1})">{}</text>"#,
            self.y_label
        )?;
        for series in &self.series {
            line(svg, series, place)?;
        }
        if let Some(point) = self.mark.filter(|point| point.1.is_finite()) {
            let (x, y) = place(point);
            write!(
                svg,
                r##"<circle cx="{x:.1}" cy="{y:.1}" r="6.5" fill="none" stroke="#333333" stroke-width="1.5"/>"##
            )?;
        }
        self.legend(svg)?;
        svg.push_str("</svg>\n");
        Ok(())
    }

    /// Entries above the plot, so that they never cover a line.
    fn legend(&self, svg: &mut String) -> fmt::Result {
        let mut x = LEFT;
        for series in self
            .series
            .iter()
            .filter(|series| !series.points.is_empty())
        {
            write!(
                svg,
                r#"<path d="M{x:.1} 46h24" stroke="{}" stroke-width="2.5"/>"#,
                series.colour
            )?;
            write!(
                svg,
                r#"<text x="{:.1}" y="50.5">{}</text>"#,
                x + 31.0,
                series.name
            )?;
            x += 58.0 + 7.0 * series.name.len() as f64;
        }
        if let Some((epoch, value)) = self.mark.filter(|point| point.1.is_finite()) {
            write!(
                svg,
                r##"<circle cx="{:.1}" cy="46" r="6.5" fill="none" stroke="#333333" stroke-width="1.5"/>"##,
                x + 7.0
            )?;
            write!(
                svg,
                r#"<text x="{:.1}" y="50.5">lowest: {} in {} {epoch}</text>"#,
                x + 21.0,
                significant(value),
                self.x_label
            )?;
        }
        Ok(())
    }
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

/// Four significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
        let decimals = if value == 0.0 {
            0.0
        } else {
            (3.0 - value.abs().log10().floor()).clamp(0.0, 8.0)
        };
        format!("{value:.*}", decimals as usize)
    } else {
        format!("{value:.3e}")
    }
}
