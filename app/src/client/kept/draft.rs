//! Drafts. A draft belongs to the tab in which it is written; messages sent from other tabs do not touch it. When its
//! tab is closed, the next tab that shows the room takes it over.

use protocol::{Person, PersonId, RoomSlug, Timestamp};

use super::common_fields;
use crate::client::json::Json;
use crate::client::platform;
use crate::client::storage::{self, Shelf};

/// If the browser cannot list open tabs, a tab counts as closed this long after its last write, in milliseconds.
const CLOSED_MS: u64 = 24 * 3_600_000;

/// Text in the composer that was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// Start and end of the selection, in UTF-16 units. Equal for a plain cursor.
    pub selection: (u32, u32),
    /// A form has posted it. If its message did not arrive, it is a draft again.
    pub posted: bool,
}

/// What a page did with a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The page shows it: it belongs to this tab from then on.
    Shown,
    /// The page has other text.
    Left,
    /// It was sent.
    Sent,
}

/// A draft as stored.
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
                posted: kept.text("posted").is_some(),
            },
        })
    }
}

/// This tab's id, its id before the last reload, and the open tabs if the browser can list them.
struct Tabs<'a> {
    own: &'a str,
    before: Option<&'a str>,
    open: Option<&'a [String]>,
    now: Timestamp,
}

impl Tabs<'_> {
    fn is_closed(&self, kept: &KeptDraft) -> bool {
        match self.open {
            Some(open) => !open.contains(&kept.tab),
            None => self.before == Some(&kept.tab) || kept.at.0 + CLOSED_MS < self.now.0,
        }
    }

    /// The draft that this tab shows: its own, else the one it had before a reload, else the newest of a closed tab.
    fn pick(&self, found: Vec<KeptDraft>) -> Option<KeptDraft> {
        let own = |kept: &KeptDraft| kept.tab == self.own;
        let mine = found.into_iter().filter(|kept| own(kept) || self.is_closed(kept));
        mine.max_by_key(|kept| (own(kept), self.before == Some(&kept.tab), kept.at))
    }
}

fn room_key(person: &PersonId, room: &RoomSlug) -> String {
    format!("{person}/{room}/")
}

/// Stores this tab's draft, or deletes it if the text is empty.
pub fn keep_draft(person: &Person, room: &RoomSlug, draft: Draft) {
    let tab = storage::tab();
    let key = room_key(&person.id, room) + &tab;
    let fields = (!draft.text.is_empty()).then(|| {
        let mut fields = common_fields(person, room, &key);
        fields.extend([
            ("tab", tab),
            ("at", platform::now().0.to_string()),
            ("start", draft.selection.0.to_string()),
            ("end", draft.selection.1.to_string()),
            ("text", draft.text),
        ]);
        fields.extend(draft.posted.then(|| ("posted", String::new())));
        fields
    });
    storage::write(Shelf::Drafts, &key, fields);
}

/// Passes this tab's draft for a room to `show`, if there is one.
pub fn draft(person: &Person, room: &RoomSlug, show: impl Fn(&Draft) -> Taken + 'static) {
    show_draft(person.clone(), room.clone(), Box::new(show));
}

fn show_draft(person: Person, room: RoomSlug, show: Box<dyn Fn(&Draft) -> Taken>) {
    let prefix = room_key(&person.id, &room);
    storage::read(Shelf::Drafts, &prefix, move |found| {
        let found: Vec<KeptDraft> = found.iter().filter_map(KeptDraft::read).collect();
        if found.is_empty() {
            return;
        }
        storage::open_tabs(move |open| {
            let (own, before) = (storage::tab(), storage::tab_before());
            let before = before.filter(|before| found.iter().any(|kept| kept.tab == *before));
            let tabs = Tabs {
                own: &own,
                before: before.as_deref(),
                open: open.as_deref(),
                now: platform::now(),
            };
            if let Some(kept) = tabs.pick(found) {
                match show(&kept.draft) {
                    Taken::Shown if kept.tab != own => keep_draft(&person, &room, kept.draft),
                    Taken::Sent => {}
                    Taken::Shown | Taken::Left => return,
                }
                storage::write(Shelf::Drafts, &kept.key, None);
            } else if let Some(before) = before {
                // After a quick reload the previous page may still hold its lock.
                storage::when_closed(&before, move || show_draft(person, room, show));
            }
        });
    });
}

/// Calls `show` if the room has a draft in any tab.
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
                posted: false,
            },
        }
    }

    fn picked(own: &str, before: Option<&str>, open: Option<&[&str]>, found: &[KeptDraft]) -> Option<String> {
        let open: Option<Vec<String>> = open.map(|open| open.iter().map(|tab| (*tab).to_owned()).collect());
        let tabs = Tabs {
            own,
            before,
            open: open.as_deref(),
            now: Timestamp(CLOSED_MS + 10),
        };
        tabs.pick(found.to_vec()).map(|kept| kept.tab)
    }

    #[test]
    fn a_draft_belongs_to_its_tab_and_comes_back_after_a_reload() {
        let found = [kept("a", 100), kept("b", 200), kept("closed", 300)];
        let pick = |own, before, open: &[&str]| picked(own, before, Some(open), &found);
        assert_eq!(pick("a", None, &["a", "b"]).as_deref(), Some("a"));
        assert_eq!(
            pick("a2", Some("a"), &["a2", "b"]).as_deref(),
            Some("a"),
            "even though others are newer"
        );
        assert_eq!(pick("c", None, &["a", "b", "c"]).as_deref(), Some("closed"));
        assert_eq!(
            pick("c", Some("a"), &["a", "b", "c"]).as_deref(),
            Some("closed"),
            "a duplicated tab"
        );
        assert_eq!(
            pick("c", None, &["a", "b", "c", "closed"]),
            None,
            "all belong to open tabs"
        );
    }

    #[test]
    fn without_a_list_of_open_tabs_a_tab_takes_its_own_draft_or_an_old_one() {
        let found = [kept("a", 100), kept("b", 200), kept("old", 1)];
        assert_eq!(picked("a2", Some("a"), None, &found).as_deref(), Some("a"));
        assert_eq!(picked("c", None, None, &found).as_deref(), Some("old"));
        assert_eq!(picked("c", None, None, &found[..2]), None);
    }
}
