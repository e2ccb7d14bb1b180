//! The curve of a range test as SVG.

use std::fmt::{self, Write};

use maas_chart::Axis;

use super::range::RangePoint;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 736.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 384.0;

const LOSS: &str = "#9dbbd8";
const SMOOTHED: &str = "#1f5f99";
const MARK: &str = "#c2410c";

/// `mark` is the number of the point that is suggested.
pub(super) fn svg(points: &[RangePoint], mark: Option<usize>) -> String {
    let mut svg = String::new();
    write(&mut svg, points, mark).expect("writing to a string does not fail");
    svg
}

fn write(svg: &mut String, points: &[RangePoint], mark: Option<usize>) -> fmt::Result {
    let finite = || {
        points
            .iter()
            .filter(|point| point.rate.is_finite() && point.smoothed.is_finite())
    };
    let x = Axis::over(finite().map(|point| f64::from(point.rate)));
    // Single losses may lie far above what can be seen of the mean.
    let highest = finite().map(|point| point.smoothed).fold(0.0, f32::max);
    let y = Axis::over(finite().map(|point| f64::from(point.smoothed)));
    let place = |rate: f32, loss: f32| {
        (
            LEFT + x.place(rate.into()) * (RIGHT - LEFT),
            BOTTOM - y.place(loss.into()).clamp(0.0, 1.0) * (BOTTOM - TOP),
        )
    };
    write!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#333333"><title>learning-rate range test</title><rect width="100%" height="100%" fill="#ffffff"/><text x="{LEFT}" y="28" font-size="17" font-weight="bold">learning-rate range test</text>"##
    )?;
    for (value, label) in y.ticks() {
        let (_, at) = place(0.0, value as f32);
        let at = if at.is_finite() { at } else { BOTTOM };
        write!(
            svg,
            r##"<path d="M{LEFT} {at:.1}H{RIGHT}" stroke="#e3e3e3"/><text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"##,
            LEFT - 9.0,
            at + 4.5
        )?;
    }
    for (value, label) in x.ticks() {
        let at = LEFT + x.place(value) * (RIGHT - LEFT);
        write!(
            svg,
            r##"<path d="M{at:.1} {BOTTOM}v5" stroke="#555555"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">{label}</text>"##,
            BOTTOM + 21.0
        )?;
    }
    write!(
        svg,
        r##"<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#555555"/><text x="{:.1}" y="{:.1}" text-anchor="middle">learning rate</text>"##,
        (LEFT + RIGHT) / 2.0,
        HEIGHT - 14.0
    )?;
    let middle = (TOP + BOTTOM) / 2.0;
    write!(
        svg,
        r#"<text x="20" y="{middle:.1}" text-anchor="middle" transform="rotate(-90 20 {middle:.1})">loss</text>"#
    )?;
    for point in finite().filter(|point| point.loss <= highest) {
        let (x, y) = place(point.rate, point.loss);
        write!(
            svg,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="2" fill="{LOSS}"/>"#
        )?;
    }
    write!(
        svg,
        r#"<polyline fill="none" stroke="{SMOOTHED}" stroke-width="2" stroke-linejoin="round" points=""#
    )?;
    for point in finite() {
        let (x, y) = place(point.rate, point.smoothed);
        write!(svg, "{x:.1},{y:.1} ")?;
    }
    svg.push_str(r#""/>"#);
    write!(
        svg,
        r#"<circle cx="90" cy="46" r="2" fill="{LOSS}"/><text x="100" y="50.5">loss of a batch</text><path d="M220 46h24" stroke="{SMOOTHED}" stroke-width="2.5"/><text x="251" y="50.5">running mean</text>"#
    )?;
    if let Some(point) = mark.and_then(|mark| points.get(mark)) {
        let (x, y) = place(point.rate, point.smoothed);
        write!(
            svg,
            r#"<path d="M{x:.1} {TOP}V{BOTTOM}" stroke="{MARK}" stroke-dasharray="4 4"/><circle cx="{x:.1}" cy="{y:.1}" r="6.5" fill="none" stroke="{MARK}" stroke-width="1.5"/><path d="M370 46h24" stroke="{MARK}" stroke-dasharray="4 4"/><text x="401" y="50.5">suggested: {:.1e}</text>"#,
            point.rate
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(())
}
