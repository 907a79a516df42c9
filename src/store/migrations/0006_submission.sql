-- Who may hand in mail with Baton as their outgoing server. All passwords of an agent are hashed with one salt, so that
-- one hash tells whether any of them fits.
CREATE TABLE credential (
agent TEXT PRIMARY KEY, -- an agent's id
salt BLOB NOT NULL,
cost TEXT NOT NULL -- how the hashes were made: argon2id m=19456 t=2 p=1
) STRICT, WITHOUT ROWID;
CREATE TABLE password (
agent TEXT NOT NULL REFERENCES credential(agent),
name TEXT NOT NULL, -- what it was made for: a program or a device
hash BLOB NOT NULL,
made_at INTEGER NOT NULL,
used_at INTEGER, -- NULL until it is used
PRIMARY KEY (agent, name)
) STRICT, WITHOUT ROWID;

-- Mails that Baton sends under a shared address, from the moment they are kept.
CREATE TABLE sending (
id INTEGER PRIMARY KEY AUTOINCREMENT,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
thread INTEGER REFERENCES thread(id), -- NULL where it answers none
agent TEXT, -- who wrote it; NULL where Baton did
route TEXT NOT NULL, -- submission; notice where Baton tells one of the team something
state TEXT NOT NULL, -- JSON; see desk/sending.rs
due_at INTEGER, -- when something is to be done about it; NULL while a person has to decide, and in the end
envelope_from TEXT NOT NULL,
recipients TEXT NOT NULL, -- JSON array of what RCPT gets
message_id TEXT NOT NULL, -- Baton's own, without angle brackets
answered TEXT, -- the Message-ID of the mail that it answers
fingerprint TEXT NOT NULL, -- the same when the same is handed in again
created_at INTEGER NOT NULL,
attempts INTEGER NOT NULL DEFAULT 0,
last_error TEXT
) STRICT;
CREATE UNIQUE INDEX sending_message_id ON sending(mailbox, message_id);
CREATE INDEX sending_due ON sending(mailbox, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX sending_thread ON sending(thread, id) WHERE thread IS NOT NULL;
-- What has neither left nor been given up.
CREATE INDEX sending_open ON sending(id) WHERE state ->> 'state' NOT IN ('accepted', 'dropped');
CREATE INDEX sending_fingerprint ON sending(fingerprint, created_at);
-- The bytes as they leave.
CREATE TABLE sending_mail (
sending INTEGER PRIMARY KEY REFERENCES sending(id),
raw BLOB NOT NULL
) STRICT;
