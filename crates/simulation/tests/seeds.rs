//! A fixed number of seeds, one that the caller chooses, and a bug that must be found.

use simulation::{Options, run};

/// Seeds in `make test`: a few seconds in a debug build.
const SEEDS: u64 = 300;
/// How many seeds it takes at most to find the bug.
const SOON: u64 = 50;

const TRACED: Options = Options {
    forgetful: false,
    trace: true,
};

/// Everything that a reader needs about a failing seed.
fn report(seed: u64, options: Options) -> String {
    let ending = run(seed, options);
    format!(
        "{}\nseed {seed}; again with: HUBBUB_SEED={seed} cargo test -p simulation -- replay\n{}",
        ending.trace.join("\n"),
        ending.wrong.join("\n")
    )
}

#[test]
fn nothing_is_lost_doubled_or_reordered() {
    for seed in 0..SEEDS {
        let ending = run(seed, Options::default());
        assert!(ending.wrong.is_empty(), "{}", report(seed, TRACED));
    }
}

/// `HUBBUB_SEED=123 cargo test -p simulation -- replay --nocapture` prints what happens. The default is seed 0.
#[test]
fn replay() {
    let chosen = std::env::var("HUBBUB_SEED").ok();
    let seed = chosen.map_or(0, |seed| seed.parse().expect("a number"));
    let report = report(seed, TRACED);
    assert!(run(seed, Options::default()).wrong.is_empty(), "{report}");
    println!("{report}\nall is well");
}

#[test]
fn the_same_seed_is_the_same_story() {
    for seed in 0..5 {
        let (one, other) = (run(seed, TRACED), run(seed, TRACED));
        assert!(one.trace.len() > 50, "something happens");
        assert_eq!(one, other);
    }
}

#[test]
fn a_forgetful_storage_is_found_every_time() {
    let forgetful = Options {
        forgetful: true,
        trace: true,
    };
    let (seed, found) = (0..SOON)
        .map(|seed| (seed, run(seed, forgetful)))
        .find(|(_, ending)| !ending.wrong.is_empty())
        .expect("a seed that finds the bug");
    assert!(
        found
            .wrong
            .iter()
            .any(|sentence| sentence.contains("a second time")),
        "{:?}",
        found.wrong
    );
    assert_eq!(run(seed, forgetful), found, "identically");
    assert!(run(seed, TRACED).wrong.is_empty(), "and it is that bug");
}
