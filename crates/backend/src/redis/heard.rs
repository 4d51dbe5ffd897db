//! What the subscription has brought of a room, compared with where the room stands: is anything missing?

use protocol::{Epoch, Seq};

/// Where a room stands, in one view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which life of its log; None if there is no room.
    pub epoch: Option<Epoch>,
    /// The latest event.
    pub head: Seq,
    /// The latest change of who is here.
    pub version: u64,
}

/// What the subscription has brought. None: nothing to compare with yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Up to which event of which epoch.
    pub log: Option<(Epoch, Seq)>,
    /// Up to which change of who is here.
    pub version: Option<u64>,
    /// The room is gone, and that was told.
    pub gone: bool,
}

/// What a comparison says about one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is here.
    Fine,
    /// Something is not here yet: it may be on its way.
    Ahead,
    /// What was heard is not so any more.
    Missed,
    /// The log has another life.
    NewEpoch,
}

/// Compares a log of which nothing was heard since an interruption with the epoch that was known before it.
pub fn epoch(known: &Epoch, now: &Heard, standing: &Standing) -> Verdict {
    match &standing.epoch {
        Some(epoch) if epoch != known => Verdict::NewEpoch,
        None if !now.gone => Verdict::Missed,
        _ => Verdict::Fine,
    }
}

/// Compares the log. `before` was heard when the room was asked, `now` when it had answered: what the room says must
/// be at least the one, and may be less than the other.
pub fn log(before: &Heard, now: &Heard, standing: &Standing) -> Verdict {
    let Some((now_epoch, now_head)) = &now.log else {
        return Verdict::Fine;
    };
    let Some(epoch) = &standing.epoch else {
        return if now.gone { Verdict::Fine } else { Verdict::Missed };
    };
    let before = before.log.as_ref();
    if epoch != now_epoch {
        // Or the answer is from before the new epoch, whose first event was quicker.
        let overtaken = before.is_some_and(|(before, _)| before == epoch);
        return if overtaken {
            Verdict::Fine
        } else {
            Verdict::NewEpoch
        };
    }
    match before {
        Some((before, head)) if before == epoch && standing.head < *head => Verdict::Missed,
        _ if standing.head > *now_head => Verdict::Ahead,
        _ => Verdict::Fine,
    }
}

/// Compares who is here, in the same way.
pub fn presence(before: &Heard, now: &Heard, standing: &Standing) -> Verdict {
    match (before.version, now.version) {
        (_, None) => Verdict::Fine,
        (Some(before), _) if standing.version < before => Verdict::Missed,
        (_, Some(now)) if standing.version > now => Verdict::Ahead,
        _ => Verdict::Fine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(life: u128, head: u64, version: u64) -> Heard {
        Heard {
            log: Some((Epoch::from_random(life), Seq::try_from(head).unwrap())),
            version: Some(version),
            gone: false,
        }
    }

    fn standing(life: u128, head: u64, version: u64) -> Standing {
        Standing {
            epoch: Some(Epoch::from_random(life)),
            head: Seq::try_from(head).unwrap(),
            version,
        }
    }

    #[test]
    fn a_log_is_compared() {
        for (before, now, asked, verdict, why) in [
            ((1, 5), (1, 5), (1, 5), Verdict::Fine, "nothing happened"),
            ((1, 5), (1, 9), (1, 7), Verdict::Fine, "the answer was overtaken"),
            (
                (1, 5),
                (1, 5),
                (1, 6),
                Verdict::Ahead,
                "an event may be on its way",
            ),
            ((1, 5), (1, 5), (1, 4), Verdict::Missed, "the log went back"),
            ((1, 5), (1, 5), (2, 5), Verdict::NewEpoch, "another life"),
            (
                (1, 5),
                (2, 1),
                (2, 1),
                Verdict::Fine,
                "another life, which was heard of",
            ),
            ((1, 5), (2, 1), (1, 5), Verdict::Fine, "another life was quicker"),
        ] {
            let (before, now) = (heard(before.0, before.1, 0), heard(now.0, now.1, 0));
            assert_eq!(
                log(&before, &now, &standing(asked.0, asked.1, 0)),
                verdict,
                "{why}"
            );
        }
        let here = heard(1, 5, 0);
        let gone = Standing {
            epoch: None,
            ..standing(1, 0, 0)
        };
        assert_eq!(log(&here, &here, &gone), Verdict::Missed);
        let told = Heard { gone: true, ..here };
        assert_eq!(log(&told, &told, &gone), Verdict::Fine, "once");
        let nothing = Heard::default();
        assert_eq!(log(&nothing, &nothing, &standing(1, 5, 0)), Verdict::Fine);
    }

    #[test]
    fn presence_is_compared() {
        for (before, now, asked, verdict) in [
            (5, 5, 5, Verdict::Fine),
            (5, 9, 7, Verdict::Fine),
            (5, 5, 6, Verdict::Ahead),
            (5, 5, 0, Verdict::Missed),
        ] {
            let (before, now) = (heard(1, 0, before), heard(1, 0, now));
            assert_eq!(presence(&before, &now, &standing(1, 0, asked)), verdict);
        }
    }
}
