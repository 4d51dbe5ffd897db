//! Where results go: `bench/results`, by date and machine, and the part that docs/scaling.md shows.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use crate::measure::growth::Point;
use crate::turns::Results;
use crate::{plot, report, usage};

/// The folder for results.
const FOLDER: &str = "bench/results";
/// The document that shows the growth.
const SCALING: &str = "docs/scaling.md";
const PICTURE: &str = "docs/images/growth.svg";
/// The lines around the generated part of [`SCALING`].
const MARKS: [&str; 2] = [
    "<!-- growth: written by `bench growth` -->",
    "<!-- end of growth -->",
];

/// Writes a dated file with the table, every figure, and what could not be measured.
pub fn write(results: &Results) -> io::Result<()> {
    let (date, machine) = (output("date", &["-u", "+%F"])?, usage::machine());
    let commit = output("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_default();
    let failed: String = results
        .failed
        .iter()
        .map(|failed| format!("- {failed}\n"))
        .collect();
    let missing = if failed.is_empty() {
        String::new()
    } else {
        format!("\n## Not measured\n\n{failed}")
    };
    let text = format!(
        "# {date}, {machine}\n\nHubbub {commit}. {}\n\n{}{missing}\n## Every turn\n\n{}",
        report::LEGEND,
        report::table(results),
        report::figures(results),
    );
    fs::create_dir_all(FOLDER)?;
    let path = Path::new(FOLDER).join(format!("{date}-{}.md", name(&machine)));
    fs::write(&path, text)
}

/// Draws the growth and puts its table into the documentation.
pub fn write_growth(points: &[Point]) -> io::Result<()> {
    plot::draw(points, Path::new(PICTURE)).map_err(|error| io::Error::other(error.to_string()))?;
    let table = report::growth(points);
    let text = fs::read_to_string(SCALING)?;
    let around = text.split_once(MARKS[0]).zip(text.split_once(MARKS[1]));
    let ((before, _), (_, after)) =
        around.ok_or_else(|| io::Error::other(format!("{SCALING} lacks the comments around the table")))?;
    fs::write(
        SCALING,
        format!("{before}{}\n\n{table}\n{}{after}", MARKS[0], MARKS[1]),
    )?;
    writeln!(io::stdout(), "{table}")
}

/// The machine's name as part of a file name.
fn name(machine: &str) -> String {
    let words = machine
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.take(5).collect::<Vec<_>>().join("-").to_lowercase()
}

fn output(program: &str, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
