//! The measures in alternation: A, B, A, B …, and the figures of every turn.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::measure::fanout::Load;
use crate::measure::{Figures, bus, capacity, cross, durable, fanout, idle, pages, storm};
use crate::site::{Cores, Side};
use crate::table::Measure;

/// How long and how often.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Turns of each side.
    pub turns: usize,
    /// Whether to leave out what takes minutes.
    pub quick: bool,
}

/// Every turn's figure of a side.
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

    /// All of them.
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

/// Runs these measures.
pub async fn take(measures: &[Measure], effort: Effort) -> io::Result<Results> {
    let mut results = Results::default();
    let began = Instant::now();
    for &measure in measures {
        'turns: for turn in 1..=effort.turns {
            // Who says nothing does not disturb the other.
            let together = if measure == Measure::Idle {
                join_all(measure.sides().iter().map(|side| one(measure, *side, effort))).await
            } else {
                Vec::new()
            };
            let mut together = together.into_iter();
            for &side in measure.sides() {
                let figures = match together.next() {
                    Some(figures) => figures,
                    None => one(measure, side, effort).await,
                };
                match figures {
                    Ok(figures) => {
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
                    Err(error) => {
                        results
                            .failed
                            .push(format!("{}, {}: {error}", measure.name(), side.name()));
                        writeln!(io::stderr(), "{} {}: {error}", measure.name(), side.name())?;
                        break 'turns;
                    }
                }
            }
        }
    }
    Ok(results)
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
        // One second of this is eight seconds and more of work for the peer.
        Measure::Hot if side == Side::N1 => fanout::measure(side, &apart, load(800.0, 1.0)).await,
        Measure::Hot => {
            fanout::measure(side, &apart, load(800.0, if effort.quick { 3.0 } else { 5.0 })).await
        }
        Measure::Capacity => capacity::measure(side, &shared).await,
        Measure::Storm => storm::measure(side, &apart).await,
        Measure::Cross => cross::measure(side, &shared, seconds(3, 6)).await,
        Measure::Bus => bus::measure(side, &shared, seconds(3, 6)).await,
        Measure::Durable => durable::measure(side, &shared, 16, seconds(3, 6)).await,
        Measure::Pages => pages::measure(&apart, seconds(3, 10)).await,
        Measure::Idle => idle::measure(side, &apart, !effort.quick).await,
    }
}
