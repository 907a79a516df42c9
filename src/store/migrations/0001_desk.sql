-- Times are seconds since 1970-01-01 00:00 UTC.

CREATE TABLE mailbox (
id INTEGER PRIMARY KEY,
name TEXT NOT NULL UNIQUE,
layout TEXT NOT NULL DEFAULT '', -- labels, folders or keywords, as found on the server; '' before the first look
prefix TEXT NOT NULL DEFAULT '', -- what stands before the root where all folders lie below INBOX
delimiter TEXT NOT NULL DEFAULT '/',
connected_since INTEGER, -- NULL while not connected
last_seen_at INTEGER,
last_error TEXT,
spelled TEXT NOT NULL DEFAULT '', -- how marks were called when they were last shown
shadow INTEGER NOT NULL DEFAULT 0 -- 1: the last connection only read, so what it would have written was never shown
) STRICT;

CREATE TABLE folder (
id INTEGER PRIMARY KEY AUTOINCREMENT,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
name TEXT NOT NULL,
role TEXT NOT NULL, -- inbox, sent, drafts, junk, archive, trash, baton, strayed, other
place TEXT NOT NULL, -- what lying there means; see desk/marks.rs
listed INTEGER NOT NULL DEFAULT 1, -- 0: gone from the server at the last look
uidvalidity INTEGER NOT NULL DEFAULT 0, -- 0 before the first look
next_uid INTEGER NOT NULL DEFAULT 1,
modseq INTEGER NOT NULL DEFAULT 0,
UNIQUE (mailbox, name)
) STRICT;

CREATE TABLE thread (
id INTEGER PRIMARY KEY AUTOINCREMENT,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
subject TEXT NOT NULL,
customer TEXT NOT NULL,
state TEXT NOT NULL,
owner TEXT, -- an agent's id
escalated INTEGER NOT NULL,
before TEXT, -- the state to return to from blocked and ignored
block_reason TEXT,
block_until INTEGER,
first_response_at INTEGER,
last_customer_at INTEGER,
last_reply_at INTEGER,
resolved_at INTEGER,
reopens INTEGER NOT NULL,
drafted INTEGER NOT NULL,
linked_to INTEGER,
merged_into INTEGER,
created_at INTEGER NOT NULL,
updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX thread_open ON thread(mailbox, id) WHERE state NOT IN ('resolved', 'ignored');
CREATE INDEX thread_due ON thread(mailbox, block_until) WHERE block_until IS NOT NULL AND state = 'blocked';
CREATE INDEX thread_subject ON thread(mailbox, subject, updated_at);

CREATE TABLE message (
id INTEGER PRIMARY KEY AUTOINCREMENT,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
identity TEXT NOT NULL, -- the same for every copy of a mail: its Message-ID, and its fingerprint where that is not enough
message_id TEXT NOT NULL, -- without angle brackets
fingerprint TEXT NOT NULL,
thread INTEGER REFERENCES thread(id), -- NULL unless status is threaded
status TEXT NOT NULL, -- threaded, history, own, ignored, draft
reason TEXT NOT NULL DEFAULT '', -- ignored: why
unreadable INTEGER NOT NULL DEFAULT 0,
direction TEXT NOT NULL, -- customer, own, internal
kind TEXT NOT NULL,
sender TEXT NOT NULL, -- From as written
recipients TEXT NOT NULL, -- To and Cc as a JSON array
subject TEXT NOT NULL,
arrived_at INTEGER NOT NULL, -- INTERNALDATE
sent_at INTEGER, -- Date
size INTEGER NOT NULL, -- RFC822.SIZE
excerpt TEXT NOT NULL DEFAULT '',
joined_by TEXT NOT NULL DEFAULT '',
place TEXT NOT NULL, -- where it was seen last; see desk/marks.rs
marks TEXT NOT NULL DEFAULT '', -- Baton's flags and keywords at the last look or write, separated by spaces
replied INTEGER NOT NULL DEFAULT 0, -- 1: it left as an answer, and the log says so
UNIQUE (mailbox, identity)
) STRICT;
CREATE INDEX message_thread ON message(thread) WHERE thread IS NOT NULL;
CREATE INDEX message_id ON message(mailbox, message_id);

-- Where each message lies.
CREATE TABLE location (
folder INTEGER NOT NULL REFERENCES folder(id),
uid INTEGER NOT NULL,
message INTEGER NOT NULL REFERENCES message(id),
flags TEXT NOT NULL, -- all flags and keywords at the last look or write, separated by spaces
PRIMARY KEY (folder, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX location_message ON location(message);

-- Locations of a folder whose UIDVALIDITY changed, until its messages have been met again.
CREATE TABLE lost_location (
folder INTEGER NOT NULL REFERENCES folder(id),
message INTEGER NOT NULL REFERENCES message(id),
flags TEXT NOT NULL,
PRIMARY KEY (folder, message)
) STRICT, WITHOUT ROWID;

-- Messages that lie in no watched folder, until it is certain that they were not just being moved.
CREATE TABLE missing (
message INTEGER PRIMARY KEY REFERENCES message(id),
passes INTEGER NOT NULL DEFAULT 0, -- how many complete looks have not found it
folder_lost INTEGER NOT NULL DEFAULT 0 -- 1: its folder disappeared as a whole
) STRICT;

-- Every id that a message is known by or refers to.
CREATE TABLE reference (
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
ref TEXT NOT NULL,
message INTEGER NOT NULL REFERENCES message(id),
PRIMARY KEY (mailbox, ref, message)
) STRICT, WITHOUT ROWID;

CREATE TABLE participant (
thread INTEGER NOT NULL REFERENCES thread(id),
address TEXT NOT NULL, -- lower case; or a List-Id
PRIMARY KEY (thread, address)
) STRICT, WITHOUT ROWID;

-- The log. Never changed, never deleted.
CREATE TABLE event (
seq INTEGER PRIMARY KEY AUTOINCREMENT,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
thread INTEGER NOT NULL REFERENCES thread(id),
other INTEGER REFERENCES thread(id), -- the other thread that it touched
at INTEGER NOT NULL,
body TEXT NOT NULL -- versioned JSON
) STRICT;
CREATE INDEX event_thread ON event(thread, seq);
CREATE INDEX event_other ON event(other, seq) WHERE other IS NOT NULL;

-- Moves that closed a thread, counted to tell a clean-up from decisions.
CREATE TABLE closing_move (
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
at INTEGER NOT NULL,
thread INTEGER NOT NULL REFERENCES thread(id),
event INTEGER NOT NULL, -- what it was taken for; 0 when it was taken for automation
PRIMARY KEY (mailbox, at, thread)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
id INTEGER PRIMARY KEY AUTOINCREMENT,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
thread INTEGER NOT NULL REFERENCES thread(id),
effect TEXT NOT NULL, -- show-marks
wishes INTEGER NOT NULL DEFAULT 1, -- how often this was wished for since it was last carried out
attempts INTEGER NOT NULL DEFAULT 0,
due_at INTEGER NOT NULL,
last_error TEXT,
UNIQUE (thread, effect) -- the same wish twice is one row
) STRICT;
CREATE INDEX outbox_due ON outbox(mailbox, due_at);
