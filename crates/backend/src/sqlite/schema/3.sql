-- Keeps each message as it is now, beside the events that made it, and each person's name once.

-- `wrote`: named by an event, so never forgotten.
ALTER TABLE people ADD COLUMN wrote INTEGER NOT NULL DEFAULT 0;

-- People without a session have no row yet. Of several names, the latest stays.
INSERT INTO people (id, name, created_at, wrote)
SELECT author_id, author_name, max(at), 1 FROM events WHERE true GROUP BY author_id
ON CONFLICT (id) DO UPDATE SET wrote = 1;

ALTER TABLE events DROP COLUMN author_name;

-- The message that the event edits, if it does, so that all its texts are found when it is deleted.
ALTER TABLE events ADD COLUMN edits INTEGER;

CREATE INDEX events_edits ON events (room_id, edits) WHERE edits IS NOT NULL;

-- What titles are compared by; schema.rs defines `title_key`. No two rooms have the same. If some do already, the first
-- of them has it.
ALTER TABLE rooms ADD COLUMN title_key TEXT;

UPDATE rooms SET title_key = title_key(title);

UPDATE rooms SET title_key = NULL
WHERE EXISTS (SELECT 1 FROM rooms AS other WHERE other.title_key = rooms.title_key AND other.id < rooms.id);

CREATE UNIQUE INDEX rooms_by_title ON rooms (title_key);

-- The number of the room's messages.
ALTER TABLE rooms ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;

-- One row per message: its `posted` event with every later event about it, up to `rev`, folded in. `number` counts the
-- room's messages from 1, without holes, so that a missing row is noticed. `reactions` is JSON as it travels.
CREATE TABLE messages (
    room_id   INTEGER NOT NULL REFERENCES rooms (id),
    seq       INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    rev       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    author_id TEXT    NOT NULL,
    client_id TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    reply_to  INTEGER,
    edited_at INTEGER,
    deleted   INTEGER NOT NULL DEFAULT 0,
    reactions TEXT,
    PRIMARY KEY (room_id, seq)
) STRICT, WITHOUT ROWID;

-- Until this version, every event posted a message. One that cannot be read stays what it was: a damaged event.
INSERT INTO messages (room_id, seq, number, rev, at, author_id, client_id, text)
SELECT room_id, seq, row_number() OVER (PARTITION BY room_id ORDER BY seq), seq, at, author_id,
    coalesce(client_id, ''), coalesce(body ->> '$.text', '')
FROM events WHERE CASE WHEN json_valid(body) THEN body ->> '$.type' END = 'posted';

UPDATE rooms SET messages = (SELECT count(*) FROM messages WHERE room_id = rooms.id);
