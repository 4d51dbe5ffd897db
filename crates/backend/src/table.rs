//! The tables that a truth keeps, in one place, for what moves them from one truth to another.
//!
//! Both truths have the same tables with the same columns. What a truth has of its own is not here: PostgreSQL's
//! `hubbub` (its version) and `secrets`, and columns that are generated from others.

use sha2::{Digest as _, Sha256};

/// A table.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns. The primary key's come first.
    pub columns: &'static [(&'static str, Kind)],
    /// How many columns the primary key has.
    pub key: usize,
    /// True if the first column is the room to which a row belongs.
    pub of_rooms: bool,
}

/// A column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `INTEGER` or `bigint`.
    Integer,
    /// `TEXT` or `text`.
    Text,
    /// `BLOB` or `bytea`.
    Bytes,
    /// `INTEGER`, 0 or 1, or `boolean`. Its value is the number.
    Boolean,
}

use Kind::{Boolean, Bytes, Integer, Text};

/// All tables, each after those that it refers to.
pub const TABLES: [Table; 5] = [
    Table {
        name: "rooms",
        columns: &[
            ("id", Integer),
            ("slug", Text),
            ("title", Text),
            ("title_key", Text),
            ("epoch", Text),
            ("head", Integer),
            ("messages", Integer),
            ("created_at", Integer),
            ("last_at", Integer),
        ],
        key: 1,
        of_rooms: false,
    },
    Table {
        name: "people",
        columns: &[
            ("id", Text),
            ("name", Text),
            ("created_at", Integer),
            ("wrote", Boolean),
        ],
        key: 1,
        of_rooms: false,
    },
    Table {
        name: "sessions",
        columns: &[
            ("digest", Bytes),
            ("person_id", Text),
            ("created_at", Integer),
            ("used_at", Integer),
        ],
        key: 1,
        of_rooms: false,
    },
    Table {
        name: "events",
        columns: &[
            ("room_id", Integer),
            ("seq", Integer),
            ("at", Integer),
            ("author_id", Text),
            ("client_id", Text),
            ("body", Text),
            ("edits", Integer),
        ],
        key: 2,
        of_rooms: true,
    },
    Table {
        name: "messages",
        columns: &[
            ("room_id", Integer),
            ("seq", Integer),
            ("number", Integer),
            ("rev", Integer),
            ("at", Integer),
            ("author_id", Text),
            ("client_id", Text),
            ("text", Text),
            ("reply_to", Integer),
            ("edited_at", Integer),
            ("deleted", Boolean),
            ("reactions", Text),
        ],
        key: 2,
        of_rooms: true,
    },
];

impl Table {
    /// Its columns' names, separated by commas.
    pub fn columns(&self) -> String {
        names(self.columns)
    }

    /// A query for all rows, in the order of the primary key. Both truths order keys by their bytes.
    pub fn select(&self) -> String {
        let (columns, key) = (self.columns(), names(&self.columns[..self.key]));
        format!("SELECT {columns} FROM {} ORDER BY {key}", self.name)
    }
}

fn names(columns: &[(&str, Kind)]) -> String {
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of [`Table::columns`].
pub type Row = Vec<Value>;

impl Value {
    /// The bytes that it takes, about.
    pub fn size(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) => 8,
            Self::Text(text) => text.len() + 24,
            Self::Bytes(bytes) => bytes.len() + 24,
        }
    }
}

/// The rows of a room in a table, or all rows of a table without rooms: how many, and a digest of their values in the
/// order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The room's id. 0 in a table without rooms.
    pub room: i64,
    /// The number of rows.
    pub rows: u64,
    /// SHA-256.
    pub sum: [u8; 32],
}

/// Makes the digests of a table from its rows, in the order of their keys.
pub struct Digests {
    of_rooms: bool,
    current: Option<(i64, u64, Sha256)>,
    done: Vec<Digest>,
}

impl Digests {
    /// Begins.
    pub fn of(table: &Table) -> Self {
        Self {
            of_rooms: table.of_rooms,
            current: None,
            done: Vec::new(),
        }
    }

    /// Takes the next row.
    pub fn add(&mut self, row: &[Value]) {
        let room = match row.first() {
            Some(Value::Integer(room)) if self.of_rooms => *room,
            _ => 0,
        };
        if self.current.as_ref().is_some_and(|(of, ..)| *of != room) {
            self.end();
        }
        let (_, rows, sum) = self.current.get_or_insert_with(|| (room, 0, Sha256::new()));
        *rows += 1;
        for value in row {
            let mut part = |kind: u8, bytes: &[u8]| {
                // With its length, so that text cannot move from one column to the next unnoticed.
                sum.update([kind]);
                sum.update((bytes.len() as u64).to_be_bytes());
                sum.update(bytes);
            };
            match value {
                Value::Null => part(0, &[]),
                Value::Integer(number) => part(1, &number.to_be_bytes()),
                Value::Text(text) => part(2, text.as_bytes()),
                Value::Bytes(bytes) => part(3, bytes),
            }
        }
    }

    fn end(&mut self) {
        if let Some((room, rows, sum)) = self.current.take() {
            let sum = sum.finalize().into();
            self.done.push(Digest { room, rows, sum });
        }
    }

    /// The digests, in the order of the rooms' ids.
    pub fn finish(mut self) -> Vec<Digest> {
        self.end();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(rows: &[(i64, &str, Option<&str>)]) -> Vec<Digest> {
        let mut digests = Digests::of(&TABLES[3]);
        for (room, one, two) in rows {
            let two = two.map_or(Value::Null, |two| Value::Text(two.to_owned()));
            digests.add(&[Value::Integer(*room), Value::Text((*one).to_owned()), two]);
        }
        digests.finish()
    }

    #[test]
    fn a_digest_notices_order_columns_and_missing_values() {
        let one = digests(&[(1, "ab", Some("c")), (1, "d", None), (2, "e", None)]);
        assert_eq!(
            one.iter().map(|d| (d.room, d.rows)).collect::<Vec<_>>(),
            [(1, 2), (2, 1)]
        );
        let others = [
            digests(&[(1, "a", Some("bc")), (1, "d", None), (2, "e", None)]),
            digests(&[(1, "d", None), (1, "ab", Some("c")), (2, "e", None)]),
            digests(&[(1, "ab", Some("c")), (1, "d", Some("")), (2, "e", None)]),
        ];
        for other in others {
            assert_ne!(one[0], other[0]);
            assert_eq!(one[1], other[1], "the other room is equal");
        }
    }
}
