-- Stores a session as the SHA-256 of its token, so that reading this file does not reveal sessions, and with the time
-- of its last use, so that it can expire. Tokens stay valid; their plain text is wiped from this file.
PRAGMA secure_delete = ON;

ALTER TABLE sessions RENAME TO old_sessions;
DROP INDEX sessions_by_person;

CREATE TABLE sessions (
    digest     BLOB    NOT NULL PRIMARY KEY,
    person_id  TEXT    NOT NULL REFERENCES people (id),
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- schema.rs defines `sha256`. When an old session was last used is unknown, so its time starts now.
INSERT INTO sessions (digest, person_id, created_at, used_at)
SELECT sha256(token), person_id, created_at, unixepoch() * 1000 FROM old_sessions;

DROP TABLE old_sessions;

CREATE INDEX sessions_by_person ON sessions (person_id);
CREATE INDEX sessions_by_use ON sessions (used_at);

PRAGMA secure_delete = OFF;
