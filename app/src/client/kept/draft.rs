//! What was written and not said. A draft belongs to the tab in which it is written, until it is sent there: what is
//! said in another tab does not touch it. A tab that is gone leaves it to the next one that looks.

use protocol::{Person, PersonId, RoomSlug, Timestamp};

use super::words;
use crate::client::json::Json;
use crate::client::platform;
use crate::client::storage::{self, Shelf};

/// Where nobody knows which tabs live, one that has not written for this long is gone, in milliseconds.
const GONE_MS: u64 = 24 * 3_600_000;

/// What was written and not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// Where the selection begins and ends: the same, if it is only a cursor.
    pub selection: (u32, u32),
}

/// A draft as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeptDraft {
    key: String,
    tab: String,
    at: Timestamp,
    draft: Draft,
}

impl KeptDraft {
    fn read(kept: &Json) -> Option<Self> {
        let number = |name| kept.text(name)?.parse().ok();
        Some(Self {
            key: kept.text("key")?,
            tab: kept.text("tab")?,
            at: Timestamp(kept.text("at")?.parse().ok()?),
            draft: Draft {
                text: kept.text("text")?,
                selection: (number("start")?, number("end")?),
            },
        })
    }
}

/// This tab, what it was called before it was loaded again, and the tabs that live, if anybody knows.
struct Tabs<'a> {
    own: &'a str,
    before: Option<&'a str>,
    living: Option<&'a [String]>,
    now: Timestamp,
}

impl Tabs<'_> {
    fn is_gone(&self, kept: &KeptDraft) -> bool {
        match self.living {
            Some(living) => !living.contains(&kept.tab),
            None => self.before == Some(&kept.tab) || kept.at.0 + GONE_MS < self.now.0,
        }
    }

    /// What this tab is to show: its own draft, else the one it had before it was loaded again, else the newest of
    /// those that are left.
    fn pick(&self, found: Vec<KeptDraft>) -> Option<KeptDraft> {
        let own = |kept: &KeptDraft| kept.tab == self.own;
        let mine = found.into_iter().filter(|kept| own(kept) || self.is_gone(kept));
        mine.max_by_key(|kept| (own(kept), self.before == Some(&kept.tab), kept.at))
    }
}

fn room_key(person: &PersonId, room: &RoomSlug) -> String {
    format!("{person}/{room}/")
}

/// Keeps what is written in this tab, or forgets what was if that is nothing.
pub fn keep_draft(person: &Person, room: &RoomSlug, draft: Draft) {
    let tab = storage::tab();
    let key = room_key(&person.id, room) + &tab;
    let fields = (!draft.text.is_empty()).then(|| {
        let mut fields = words(person, room, &key);
        fields.extend([
            ("tab", tab),
            ("at", platform::now().0.to_string()),
            ("start", draft.selection.0.to_string()),
            ("end", draft.selection.1.to_string()),
            ("text", draft.text),
        ]);
        fields
    });
    storage::write(Shelf::Drafts, &key, fields);
}

/// Shows this tab's draft of a room, if there is one. It is this tab's from then on, unless it could not be shown.
pub fn draft(person: &Person, room: &RoomSlug, show: impl Fn(&Draft) -> bool + 'static) {
    show_draft(person.clone(), room.clone(), Box::new(show));
}

fn show_draft(person: Person, room: RoomSlug, show: Box<dyn Fn(&Draft) -> bool>) {
    let prefix = room_key(&person.id, &room);
    storage::read(Shelf::Drafts, &prefix, move |found| {
        let found: Vec<KeptDraft> = found.iter().filter_map(KeptDraft::read).collect();
        if found.is_empty() {
            return;
        }
        storage::living_tabs(move |living| {
            let (own, before) = (storage::tab(), storage::tab_before());
            let before = before.filter(|before| found.iter().any(|kept| kept.tab == *before));
            let tabs = Tabs {
                own: &own,
                before: before.as_deref(),
                living: living.as_deref(),
                now: platform::now(),
            };
            if let Some(kept) = tabs.pick(found) {
                if show(&kept.draft) && kept.tab != own {
                    keep_draft(&person, &room, kept.draft);
                    storage::write(Shelf::Drafts, &kept.key, None);
                }
            } else if let Some(before) = before {
                // After a quick reload the page of before may not be quite gone.
                storage::when_gone(&before, move || show_draft(person, room, show));
            }
        });
    });
}

/// Calls back if a room has a draft, in whichever tab.
pub fn has_draft(person: &PersonId, room: &RoomSlug, show: impl FnOnce() + 'static) {
    storage::read(Shelf::Drafts, &room_key(person, room), move |found| {
        if !found.is_empty() {
            show();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(tab: &str, at: u64) -> KeptDraft {
        KeptDraft {
            key: tab.to_owned(),
            tab: tab.to_owned(),
            at: Timestamp(at),
            draft: Draft {
                text: tab.to_owned(),
                selection: (0, 0),
            },
        }
    }

    fn picked(
        own: &str,
        before: Option<&str>,
        living: Option<&[&str]>,
        found: &[KeptDraft],
    ) -> Option<String> {
        let living: Option<Vec<String>> =
            living.map(|living| living.iter().map(|tab| (*tab).to_owned()).collect());
        let tabs = Tabs {
            own,
            before,
            living: living.as_deref(),
            now: Timestamp(GONE_MS + 10),
        };
        tabs.pick(found.to_vec()).map(|kept| kept.tab)
    }

    #[test]
    fn a_draft_belongs_to_its_tab_and_comes_back_after_a_reload() {
        let found = [kept("a", 100), kept("b", 200), kept("gone", 300)];
        let pick = |own, before, living: &[&str]| picked(own, before, Some(living), &found);
        assert_eq!(pick("a", None, &["a", "b"]).as_deref(), Some("a"));
        assert_eq!(
            pick("a2", Some("a"), &["a2", "b"]).as_deref(),
            Some("a"),
            "though others are newer"
        );
        assert_eq!(pick("c", None, &["a", "b", "c"]).as_deref(), Some("gone"));
        assert_eq!(
            pick("c", Some("a"), &["a", "b", "c"]).as_deref(),
            Some("gone"),
            "a tab that was duplicated"
        );
        assert_eq!(
            pick("c", None, &["a", "b", "c", "gone"]),
            None,
            "all belong to others"
        );
    }

    #[test]
    fn where_nobody_knows_who_lives_a_tab_takes_its_own_or_an_old_one() {
        let found = [kept("a", 100), kept("b", 200), kept("old", 1)];
        assert_eq!(picked("a2", Some("a"), None, &found).as_deref(), Some("a"));
        assert_eq!(picked("c", None, None, &found).as_deref(), Some("old"));
        assert_eq!(picked("c", None, None, &found[..2]), None);
    }
}
