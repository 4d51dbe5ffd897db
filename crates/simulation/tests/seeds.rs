//! A fixed number of seeds, one that the caller chooses, and bugs that must be found.

use simulation::{Bug, Ending, Options, run};

/// Seeds in `make test`: a few seconds in a debug build.
const SEEDS: u64 = 300;

const TRACED: Options = Options {
    bug: None,
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

/// The first seed that finds a bug, which must replay, and which must find nothing without the bug.
fn found(bug: Bug) -> Ending {
    let options = Options {
        bug: Some(bug),
        trace: true,
    };
    let quiet = Options {
        trace: false,
        ..options
    };
    let seed = (0..SEEDS).find(|seed| !run(*seed, quiet).wrong.is_empty());
    let seed = seed.expect("a seed that finds the bug");
    let found = run(seed, options);
    assert_eq!(run(seed, options), found, "identically");
    assert!(run(seed, TRACED).wrong.is_empty(), "and it is that bug");
    found
}

fn says(found: &Ending, words: &str) {
    let said = found.wrong.iter().any(|sentence| sentence.contains(words));
    assert!(said, "{words}, but: {:?}", found.wrong);
}

#[test]
fn a_truth_that_forgets_what_it_has_is_found() {
    says(&found(Bug::Forgets), "a second time");
}

#[test]
fn a_bus_that_loses_a_subscription_without_a_word_is_found() {
    says(&found(Bug::Deaf), "too late");
}

#[test]
fn a_hold_taken_off_another_followers_count_is_found() {
    says(&found(Bug::Miscounts), "become quiet");
}

#[test]
fn an_old_edit_applied_over_a_newer_one_is_found() {
    says(&found(Bug::Stale), "where the log says");
}
