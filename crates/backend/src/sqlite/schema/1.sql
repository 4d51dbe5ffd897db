-- Rooms and their logs. `head` is the latest event's seq; `epoch` is created with the log.
CREATE TABLE rooms (
    id         INTEGER PRIMARY KEY,
    slug       TEXT    NOT NULL UNIQUE,
    title      TEXT    NOT NULL,
    epoch      TEXT    NOT NULL,
    head       INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    last_at    INTEGER
) STRICT;

-- Lists rooms by activity without reading them all.
CREATE INDEX rooms_by_activity ON rooms (coalesce(last_at, created_at) DESC, id DESC);

-- One row per event. `body` is the event's JSON as it travels; `kind` is the type in it.
-- `author_name` is the author's name at the time.
CREATE TABLE events (
    room_id     INTEGER NOT NULL REFERENCES rooms (id),
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    author_id   TEXT    NOT NULL,
    author_name TEXT    NOT NULL,
    client_id   TEXT,
    body        TEXT    NOT NULL,
    kind        TEXT    GENERATED ALWAYS AS (body ->> '$.type') VIRTUAL,
    PRIMARY KEY (room_id, seq)
) STRICT, WITHOUT ROWID;

-- Stores each message once. Client ids are per author: nobody can take another person's.
CREATE UNIQUE INDEX events_once ON events (room_id, author_id, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE people (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token      TEXT    NOT NULL PRIMARY KEY,
    person_id  TEXT    NOT NULL REFERENCES people (id),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_person ON sessions (person_id);
