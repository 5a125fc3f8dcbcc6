//! Plots as SVG text, without scripts or fonts of their own.

use std::fmt::Write;

/// Width of a plot in units of its own.
const WIDTH: f64 = 640.0;
/// Height of a time series.
const HEIGHT: f64 = 120.0;
/// Height of a bar and the gap below it.
const BAR: f64 = 22.0;
/// Where bars begin, right of their names.
const BARS_FROM: f64 = 110.0;
/// Room right of the longest bar for its figure.
const FIGURE: f64 = 60.0;
/// Most points of a line; more are averaged.
const POINTS: usize = 320;

/// A line over time.
pub struct Line<'a> {
    /// Class that a style sheet colours it by.
    pub class: &'a str,
    /// Whether the area below it is filled.
    pub filled: bool,
    /// Its values, evenly spaced.
    pub values: Vec<f64>,
}

/// One horizontal bar per name and share, with the share in per cent beside it.
pub fn bars(shares: &[(&str, f64)]) -> String {
    let longest = shares.iter().map(|s| s.1).fold(0.0, f64::max).max(1e-9);
    let height = BAR * shares.len() as f64;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    for (i, (name, share)) in shares.iter().enumerate() {
        let (top, length) = (BAR * i as f64, (WIDTH - BARS_FROM - FIGURE) * share / longest);
        let (base, figure) = (top + 15.0, BARS_FROM + length + 6.0);
        // Writing to a string cannot fail, here and below.
        let _ = write!(svg, "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{name}</text>", BARS_FROM - 6.0);
        let _ = write!(svg, "<rect class=\"{name}\" x=\"{BARS_FROM}\" y=\"{}\" width=\"{length:.1}\" height=\"16\"/>", top + 3.0);
        let _ = write!(svg, "<text x=\"{figure:.1}\" y=\"{base}\">{:.2} %</text>", 100.0 * share);
    }
    svg + "</svg>"
}

/// Lines over the same time, on one scale from zero to `top`; what is above is cut off.
pub fn series(lines: &[Line], top: f64) -> String {
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" preserveAspectRatio=\"none\">");
    for line in lines {
        let points = points(&thinned(&line.values), top.max(1e-9));
        let _ = if line.filled {
            write!(svg, "<polygon class=\"{}\" points=\"0,{HEIGHT} {points}{WIDTH},{HEIGHT}\"/>", line.class)
        } else {
            write!(svg, "<polyline class=\"{}\" points=\"{points}\"/>", line.class)
        };
    }
    svg + "</svg>"
}

/// Means of as many equal stretches as there are points.
pub fn thinned(values: &[f64]) -> Vec<f64> {
    let stretch = values.len().div_ceil(POINTS).max(1);
    values.chunks(stretch).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect()
}

fn points(values: &[f64], top: f64) -> String {
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let mut points = String::new();
    for (i, value) in values.iter().enumerate() {
        let y = HEIGHT * (1.0 - (value / top).clamp(0.0, 1.0));
        let _ = write!(points, "{:.1},{y:.1} ", step * i as f64);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_share_has_the_longest_bar() {
        let svg = bars(&[("a", 0.1), ("b", 0.2)]);
        assert!(svg.contains("class=\"a\" x=\"110\" y=\"3\" width=\"235.0\""), "{svg}");
        assert!(svg.contains("class=\"b\" x=\"110\" y=\"25\" width=\"470.0\""), "{svg}");
        assert!(svg.contains("20.00 %"));
    }

    #[test]
    fn bars_of_nothing_are_empty_and_not_nan() {
        let svg = bars(&[("a", 0.0)]);
        assert!(svg.contains("width=\"0.0\"") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn a_long_line_is_thinned_to_means() {
        let values: Vec<f64> = (0..2 * POINTS).map(|i| (i % 2) as f64).collect();
        assert_eq!(thinned(&values), vec![0.5; POINTS]);
        assert_eq!(thinned(&[3.0]), [3.0]);
    }

    #[test]
    fn what_is_above_the_scale_is_cut_off() {
        let svg = series(&[Line { class: "x", filled: false, values: vec![0.0, 5.0, 99.0] }], 10.0);
        assert!(svg.contains("points=\"0.0,120.0 320.0,60.0 640.0,0.0 \""), "{svg}");
    }
}
