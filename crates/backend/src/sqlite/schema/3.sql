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

-- One row per message: what later events up to `rev` made of it, or null where it is as it was posted. `number` counts
-- the room's messages from 1, without holes, so that a missing row is noticed. `reactions` is JSON as it travels.
CREATE TABLE folded (
    room_id   INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    rev       INTEGER,
    text      TEXT,
    edited_at INTEGER,
    deleted   INTEGER NOT NULL DEFAULT 0,
    reactions TEXT,
    PRIMARY KEY (room_id, seq)
) STRICT, WITHOUT ROWID;

-- The messages as they are now: what is folded over the `posted` event. One whose event is missing is missing; one whose
-- event cannot be read has no text.
CREATE VIEW messages AS
SELECT folded.room_id, folded.seq, folded.number, coalesce(folded.rev, folded.seq) AS rev, events.at,
    events.author_id, coalesce(events.client_id, '') AS client_id,
    coalesce(folded.text, CASE WHEN json_valid(events.body) AND events.body ->> '$.type' = 'posted' THEN events.body ->> '$.text' END) AS text,
    CASE WHEN json_valid(events.body) AND events.body ->> '$.type' = 'posted' THEN events.body ->> '$.reply_to' END AS reply_to,
    folded.edited_at, folded.deleted, folded.reactions
FROM folded CROSS JOIN events ON events.room_id = folded.room_id AND events.seq = folded.seq;

-- Until this version, every event posted a message. One that cannot be read stays what it was: a damaged event.
INSERT INTO folded (room_id, seq, number)
SELECT room_id, seq, row_number() OVER (PARTITION BY room_id ORDER BY seq)
FROM events WHERE CASE WHEN json_valid(body) THEN body ->> '$.type' END = 'posted';

UPDATE rooms SET messages = (SELECT count(*) FROM folded WHERE room_id = rooms.id);
