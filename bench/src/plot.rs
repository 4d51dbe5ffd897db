//! Draws how the cost grows.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::measure::growth::Point;

/// Draws CPU time per delivery against the size of one room, both on logarithmic scales.
pub fn draw(points: &[Point], path: &Path) -> Result<(), Box<dyn Error>> {
    let sizes: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| point.rooms == 1 && point.members > 1)
        .map(|point| (point.members as f64, point.cpu))
        .collect();
    let most = sizes.iter().map(|(_, cpu)| *cpu).fold(1.0, f64::max);
    let area = SVGBackend::new(path, (720, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d((8.0..6_500.0).log_scale(), (1.0..most * 1.5).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("people in the room")
        .y_desc("CPU per delivery, µs")
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series(LineSeries::new(sizes.iter().copied(), BLUE.stroke_width(2)))?;
    chart.draw_series(sizes.iter().map(|point| Circle::new(*point, 4, BLUE.filled())))?;
    area.present()?;
    Ok(())
}
