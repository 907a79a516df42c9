-- What lies in Baton/Send and Baton/Outbox, as long as something is to be done about it.
CREATE TABLE draft (
id INTEGER PRIMARY KEY AUTOINCREMENT,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
sending INTEGER REFERENCES sending(id), -- what became of it; NULL until it has been read
by_baton INTEGER NOT NULL, -- 1: a copy that Baton put there, and takes away again
message_id TEXT NOT NULL, -- by which it is found
message INTEGER REFERENCES message(id), -- as it was seen last; NULL before that
placed INTEGER NOT NULL, -- 1: it was there, so what is missing was taken away
refused INTEGER NOT NULL DEFAULT 0, -- 1: it goes back to Drafts
due_at INTEGER NOT NULL DEFAULT 0, -- when it is looked at again
attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX draft_mailbox ON draft(mailbox, due_at);
CREATE INDEX draft_sending ON draft(sending) WHERE sending IS NOT NULL;
CREATE INDEX draft_message ON draft(message) WHERE message IS NOT NULL;
-- Which drafts answer which thread, and who writes them.
CREATE TABLE drafting (
message INTEGER PRIMARY KEY REFERENCES message(id),
thread INTEGER NOT NULL REFERENCES thread(id),
agent TEXT -- NULL where nobody knows
) STRICT;
CREATE INDEX drafting_thread ON drafting(thread);
