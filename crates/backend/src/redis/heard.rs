//! Compares what a room's subscription has delivered with the room's state in Redis, to find out whether something is
//! missing.

use protocol::{Epoch, Seq};

/// A room's state in Redis, read atomically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomState {
    /// The log's epoch; `None` if the room does not exist.
    pub epoch: Option<Epoch>,
    /// The `seq` of the latest event.
    pub head: Seq,
    /// The version of the latest change of presence.
    pub version: u64,
}

/// What the subscription has delivered. `None`: nothing to compare with yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The epoch and `seq` of the latest event.
    pub log: Option<(Epoch, Seq)>,
    /// The version of the latest change of presence.
    pub version: Option<u64>,
    /// True if followers know that the room no longer exists.
    pub gone: bool,
}

/// The result of comparing the log or the presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is missing.
    Fine,
    /// Something has not been delivered yet. It may be on its way.
    Ahead,
    /// Something was missed, or the room went back.
    Missed,
    /// The log has another epoch.
    NewEpoch,
}

/// Compares a log of which nothing was delivered since an interruption with the epoch known before.
pub fn epoch(known: &Epoch, now: &Heard, state: &RoomState) -> Verdict {
    match &state.epoch {
        Some(epoch) if epoch != known => Verdict::NewEpoch,
        None if !now.gone => Verdict::Missed,
        _ => Verdict::Fine,
    }
}

/// Compares the log. `before` is what had been delivered when the room's state was asked for, `now` when the answer
/// arrived. The state must not be behind `before`, but can be behind `now`.
pub fn log(before: &Heard, now: &Heard, state: &RoomState) -> Verdict {
    let Some((now_epoch, now_head)) = &now.log else {
        return Verdict::Fine;
    };
    let Some(epoch) = &state.epoch else {
        return if now.gone { Verdict::Fine } else { Verdict::Missed };
    };
    let before = before.log.as_ref();
    if epoch != now_epoch {
        // If the answer is older than the new epoch, the first event of that epoch overtook it.
        let overtaken = before.is_some_and(|(before, _)| before == epoch);
        return if overtaken {
            Verdict::Fine
        } else {
            Verdict::NewEpoch
        };
    }
    match before {
        Some((before, head)) if before == epoch && state.head < *head => Verdict::Missed,
        _ if state.head > *now_head => Verdict::Ahead,
        _ => Verdict::Fine,
    }
}

/// Compares the presence, in the same way.
pub fn presence(before: &Heard, now: &Heard, state: &RoomState) -> Verdict {
    match (before.version, now.version) {
        (_, None) => Verdict::Fine,
        (Some(before), _) if state.version < before => Verdict::Missed,
        (_, Some(now)) if state.version > now => Verdict::Ahead,
        _ => Verdict::Fine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(epoch: u128, head: u64, version: u64) -> Heard {
        Heard {
            log: Some((Epoch::from_random(epoch), Seq::try_from(head).unwrap())),
            version: Some(version),
            gone: false,
        }
    }

    fn room_state(epoch: u128, head: u64, version: u64) -> RoomState {
        RoomState {
            epoch: Some(Epoch::from_random(epoch)),
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
            ((1, 5), (1, 5), (2, 5), Verdict::NewEpoch, "another epoch"),
            (
                (1, 5),
                (2, 1),
                (2, 1),
                Verdict::Fine,
                "another epoch, which was delivered",
            ),
            ((1, 5), (2, 1), (1, 5), Verdict::Fine, "another epoch was quicker"),
        ] {
            let (before, now) = (heard(before.0, before.1, 0), heard(now.0, now.1, 0));
            assert_eq!(
                log(&before, &now, &room_state(asked.0, asked.1, 0)),
                verdict,
                "{why}"
            );
        }
        let here = heard(1, 5, 0);
        let gone = RoomState {
            epoch: None,
            ..room_state(1, 0, 0)
        };
        assert_eq!(log(&here, &here, &gone), Verdict::Missed);
        let told = Heard { gone: true, ..here };
        assert_eq!(log(&told, &told, &gone), Verdict::Fine, "once");
        let nothing = Heard::default();
        assert_eq!(log(&nothing, &nothing, &room_state(1, 5, 0)), Verdict::Fine);
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
            assert_eq!(presence(&before, &now, &room_state(1, 0, asked)), verdict);
        }
    }
}
