//! Formats the results for people.

use std::fmt::Write;
use std::io;

use crate::measure::growth::Point;
use crate::table::{Against, LINES, Line, Measure};
use crate::turns::Results;

/// Median, minimum and maximum.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    Some(Spread {
        median: *values.get(values.len() / 2)?,
        least: *values.first()?,
        most: *values.last()?,
    })
}

/// The table of all comparisons.
pub fn table(results: &Results) -> String {
    let mut table = String::from(
        "| measure | Hubbub | other | ratio (min to max) | pass | aim | |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for line in &LINES {
        row(&mut table, results, line);
    }
    table
}

fn row(table: &mut String, results: &Results, line: &Line) {
    let ours = line.measure.sides()[0];
    let own = results.of(line.measure, ours, line.figure);
    let Some(mine) = spread(own.iter().copied()) else {
        return;
    };
    let (other, ratio) = match line.against {
        Against::Nothing => ("".to_owned(), spread(own.iter().copied())),
        Against::Side(side) => {
            let others = results.of(line.measure, side, line.figure);
            let Some(theirs) = spread(others.iter().copied()) else {
                return;
            };
            let named = format!("{} {} {}", side.name(), number(theirs.median), line.unit);
            (
                named,
                spread(own.iter().zip(others).map(|(mine, theirs)| mine / theirs)),
            )
        }
    };
    let Some(ratio) = ratio else { return };
    let (sign, (pass, aim)) = (if line.more { "≥" } else { "≤" }, line.bars);
    let reached = |bar: f64| {
        if line.more {
            ratio.median >= bar
        } else {
            ratio.median <= bar
        }
    };
    let verdict = match (reached(pass), aim) {
        (false, _) => "**missed**",
        (true, Some(aim)) if reached(aim) => "aim",
        (true, _) => "pass",
    };
    let aim = aim
        .map(|aim| format!("{sign} {}", number(aim)))
        .unwrap_or_default();
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        table,
        "| {} | {} {} | {other} | {} ({} to {}) | {sign} {} | {aim} | {verdict} |",
        line.what,
        number(mine.median),
        line.unit,
        number(ratio.median),
        number(ratio.least),
        number(ratio.most),
        number(pass),
    );
}

/// Every figure of every turn.
pub fn figures(results: &Results) -> String {
    let mut table = String::from("| measure | side | figure | turns |\n| --- | --- | --- | --- |\n");
    for ((measure, side, figure), turns) in results.all() {
        let turns: Vec<String> = turns.iter().map(|turn| number(*turn)).collect();
        let _ = writeln!(
            table,
            "| {} | {} | {figure} | {} |",
            measure.name(),
            side.name(),
            turns.join(", ")
        );
    }
    table
}

/// Formats a number with three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 1_000.0 => {
            let digits = format!("{large:.0}");
            let mut grouped = String::new();
            for (n, digit) in digits.chars().enumerate() {
                if n > 0 && (digits.len() - n) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
        medium if medium >= 100.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.2}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
    }
}

/// The table of what a delivery costs as rooms grow and become many.
pub fn growth(points: &[Point]) -> String {
    let mut table = String::from(
        "| rooms | members of each | messages/s in all | CPU per delivery | p99 |\n| --- | --- | --- | --- | --- |\n",
    );
    for Point {
        rooms,
        members,
        rate,
        cpu,
        p99,
    } in points
    {
        let whole = |value| number(value).trim_end_matches(".0").to_owned();
        let (rooms, members) = (whole(*rooms as f64), whole(*members as f64));
        let _ = writeln!(
            table,
            "| {rooms} | {members} | {} | {} µs | {} ms |",
            whole(*rate),
            number(*cpu),
            number(*p99)
        );
    }
    table
}

/// Returns the measures with these names, or all if there are none.
pub fn named(words: &[&str]) -> io::Result<Vec<Measure>> {
    if words.is_empty() {
        return Ok(Measure::ALL.to_vec());
    }
    let find = |word: &&str| {
        let names: Vec<&str> = Measure::ALL.iter().map(|measure| measure.name()).collect();
        let found = Measure::ALL.into_iter().find(|measure| measure.name() == *word);
        found.ok_or_else(|| {
            io::Error::other(format!(
                "no measure is called \"{word}\"; choose from {}",
                names.join(", ")
            ))
        })
    };
    words.iter().map(find).collect()
}

/// Explains the sides, for the results.
pub const LEGEND: &str = "N1: Node.js Socket.IO, one process. The example on Node.js: the public chat example, one \
    process. N2: Node.js cluster with sticky sessions and the Redis adapter on ioredis. socketioxide: bare, behind \
    axum::serve. write loop: nothing but write() to the same number of sockets. Sides take turns on fresh processes. \
    Ratios compare figures of the same turn and are given as the median, with minimum and maximum. A run in which a \
    message was lost, doubled or reordered is void.";
