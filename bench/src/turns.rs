//! Runs the measures in alternation (A, B, A, B …) and keeps the figures of every turn.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use futures::future::try_join_all;

use crate::measure::fanout::Load;
use crate::measure::{Figures, bus, capacity, cross, durable, fanout, idle, pages, replica, storm};
use crate::site::{Cores, Side};
use crate::table::Measure;

/// How often to measure, and how long.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Turns of each side.
    pub turns: usize,
    /// True to leave out what takes minutes.
    pub quick: bool,
}

/// The figures of every side, by turn.
#[derive(Default)]
pub struct Results {
    figures: BTreeMap<(Measure, Side, &'static str), Vec<f64>>,
    /// What could not be measured, and why.
    pub failed: Vec<String>,
}

impl Results {
    /// The figures of one side, in the order of the turns.
    pub fn of(&self, measure: Measure, side: Side, figure: &'static str) -> &[f64] {
        self.figures
            .get(&(measure, side, figure))
            .map_or(&[], Vec::as_slice)
    }

    /// All figures.
    pub fn all(&self) -> impl Iterator<Item = (&(Measure, Side, &'static str), &Vec<f64>)> {
        self.figures.iter()
    }

    fn add(&mut self, measure: Measure, side: Side, figures: Figures) {
        for (what, figure) in figures {
            self.figures
                .entry((measure, side, what))
                .or_default()
                .push(figure);
        }
    }
}

/// Runs one measure and adds its figures. A turn in which one side failed or was void counts for none.
pub async fn take(measure: Measure, effort: Effort, results: &mut Results) -> io::Result<()> {
    let began = Instant::now();
    for turn in 1..=effort.turns {
        let figures = match sides(measure, effort).await {
            Ok(figures) => figures,
            Err(error) => {
                writeln!(io::stderr(), "{} {turn}: {error}", measure.name())?;
                results
                    .failed
                    .push(format!("{}, turn {turn}: {error}", measure.name()));
                continue;
            }
        };
        for (side, figures) in figures {
            let told: Vec<String> = figures
                .iter()
                .map(|(what, figure)| format!("{what} {figure:.2}"))
                .collect();
            let (at, name, who) = (began.elapsed().as_secs(), measure.name(), side.name());
            writeln!(
                io::stderr(),
                "{at:5} s  {name} {turn}  {who}: {}",
                told.join(", ")
            )?;
            results.add(measure, side, figures);
        }
    }
    Ok(())
}

async fn sides(measure: Measure, effort: Effort) -> io::Result<Vec<(Side, Figures)>> {
    let named = async |side: &Side| {
        let figures = one(measure, *side, effort).await;
        let figures = figures.map_err(|error| io::Error::other(format!("{}: {error}", side.name())))?;
        io::Result::Ok((*side, figures))
    };
    if measure == Measure::Idle {
        // Idle sides do not disturb each other.
        return try_join_all(measure.sides().iter().map(named)).await;
    }
    let mut figures = Vec::new();
    for side in measure.sides() {
        figures.push(named(side).await?);
    }
    Ok(figures)
}

async fn one(measure: Measure, side: Side, effort: Effort) -> io::Result<Figures> {
    let (apart, shared) = (Cores::apart(), Cores::shared());
    let seconds = |quick, thorough| Duration::from_secs(if effort.quick { quick } else { thorough });
    let load = |rate, lasting| Load {
        rooms: 1,
        members: 1_000,
        rate,
        lasting,
    };
    match measure {
        Measure::Fanout => {
            fanout::measure(side, &apart, load(40.0, if effort.quick { 3.0 } else { 8.0 })).await
        }
        Measure::Small => {
            let load = Load {
                rooms: 1,
                members: 10,
                rate: 200.0,
                lasting: if effort.quick { 3.0 } else { 8.0 },
            };
            fanout::measure(side, &apart, load).await
        }
        // The peer needs eight seconds or more for one second of this load.
        Measure::Hot if side == Side::N1 => fanout::measure(side, &apart, load(800.0, 1.0)).await,
        Measure::Hot => {
            fanout::measure(side, &apart, load(800.0, if effort.quick { 3.0 } else { 5.0 })).await
        }
        Measure::Example => {
            let lasting = if effort.quick { 3.0 } else { 8.0 };
            let load = Load {
                rooms: 1,
                members: 500,
                rate: 100.0,
                lasting,
            };
            fanout::measure(side, &apart, load).await
        }
        Measure::Capacity => capacity::measure(side, &shared).await,
        Measure::Storm => storm::measure(side, &apart).await,
        Measure::Cross => cross::measure(side, &shared, seconds(3, 6)).await,
        Measure::Bus => bus::measure(side, &shared, seconds(3, 6)).await,
        Measure::Replica => replica::measure(&shared, seconds(3, 10)).await,
        Measure::Durable => durable::measure(side, &shared, 16, seconds(3, 6)).await,
        Measure::Pages => pages::measure(&apart, seconds(3, 10)).await,
        Measure::Idle => idle::measure(side, &apart, !effort.quick).await,
    }
}
