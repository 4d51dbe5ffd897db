//! Compares the version of a room's presence that a subscription has delivered with the one in Redis, to find out
//! whether a change is missing.

/// The result of comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is missing.
    Fine,
    /// Something has not been delivered yet. It may be on its way.
    Ahead,
    /// Something was missed, or the room went back.
    Missed,
}

/// Compares. `before` is what had been delivered when Redis was asked, `now` when the answer `asked` arrived. The answer
/// must not be behind `before`, but can be behind `now`. `None`: nothing to compare with yet.
pub fn compare(before: Option<u64>, now: Option<u64>, asked: u64) -> Verdict {
    match (before, now) {
        (_, None) => Verdict::Fine,
        (Some(before), _) if asked < before => Verdict::Missed,
        (_, Some(now)) if asked > now => Verdict::Ahead,
        _ => Verdict::Fine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared() {
        for (before, now, asked, verdict) in [
            (Some(5), Some(5), 5, Verdict::Fine),
            (Some(5), Some(9), 7, Verdict::Fine),
            (Some(5), Some(5), 6, Verdict::Ahead),
            (Some(5), Some(5), 0, Verdict::Missed),
            (None, None, 7, Verdict::Fine),
            (None, Some(7), 6, Verdict::Fine),
        ] {
            assert_eq!(compare(before, now, asked), verdict);
        }
    }
}
