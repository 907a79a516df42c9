-- Mailboxes whose owner and state are shown as Outlook's categories too.
CREATE TABLE outlook (
mailbox INTEGER PRIMARY KEY REFERENCES mailbox(id),
leaving INTEGER NOT NULL DEFAULT 0, -- 1: switched off, and Baton's categories are being taken off
spelled TEXT NOT NULL DEFAULT '', -- how the categories were called when they were last shown
made TEXT NOT NULL DEFAULT '[]', -- categories that Baton put on the mailbox's list, as a JSON array
read_to INTEGER, -- how far people's changes were read, in the server's time; NULL before the first look
seen_at INTEGER, -- when Graph answered last
notice TEXT, -- what works only in part
last_error TEXT
) STRICT;

-- Copies of mails on which one of Baton's categories is or was.
CREATE TABLE outlook_copy (
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
id TEXT NOT NULL, -- Graph's immutable id
message_id TEXT NOT NULL, -- without angle brackets
message INTEGER REFERENCES message(id), -- NULL until IMAP has shown the mail
folder TEXT NOT NULL, -- parentFolderId at the last look
names TEXT NOT NULL DEFAULT '[]', -- Baton's categories at the last look or write, as a JSON array
attempt TEXT, -- Baton's categories as they are being written, until the answer is kept
undecided TEXT, -- Baton's categories as they were found, while what a person meant waits for IMAP
undecided_since INTEGER,
decide_at INTEGER,
PRIMARY KEY (mailbox, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outlook_copy_message ON outlook_copy(message) WHERE message IS NOT NULL;
CREATE INDEX outlook_copy_due ON outlook_copy(mailbox, decide_at) WHERE decide_at IS NOT NULL;
