use std::fmt::{self, Write};

use crate::Chart;
use crate::chart::Frame;
use crate::text::Escaped;

/// A page of charts as one SVG document, two beside each other, under a title and a line of text.
///
/// ```
/// assert!(maas_chart::page("Training", "no epochs", &[]).ends_with("</svg>\n"));
/// ```
#[must_use]
pub fn page(title: &str, summary: &str, charts: &[Chart]) -> String {
    let mut svg = String::new();
    write(&mut svg, title, summary, charts).expect("writing to a string does not fail");
    svg
}

fn write(svg: &mut String, title: &str, summary: &str, charts: &[Chart]) -> fmt::Result {
    let columns = charts.len().min(2);
    let rows = charts.len().div_ceil(2);
    let (width, height) = if columns == 2 { BESIDE } else { ALONE };
    let page_width = width * columns.max(1) as f64;
    let page_height = HEADING + height * rows as f64;
    write!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {page_width} {page_height}" width="{page_width}" height="{page_height}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#333333">"##
    )?;
    write!(
        svg,
        r##"<title>{0}</title><rect width="100%" height="100%" fill="#ffffff"/>"##,
        Escaped(title)
    )?;
    write!(
        svg,
        r#"<text x="78" y="30"><tspan font-size="18" font-weight="bold">{}</tspan><tspan dx="14">{}</tspan></text>"#,
        Escaped(title),
        Escaped(summary)
    )?;
    for (index, chart) in charts.iter().enumerate() {
        let frame = Frame {
            left: width * (index % 2) as f64,
            top: HEADING + height * (index / 2) as f64,
            width,
            height,
        };
        chart.write(svg, frame)?;
    }
    svg.push_str("</svg>\n");
    Ok(())
}

/// A chart that stands alone, and one beside others.
const ALONE: (f64, f64) = (760.0, 400.0);
const BESIDE: (f64, f64) = (600.0, 340.0);
const HEADING: f64 = 46.0;
