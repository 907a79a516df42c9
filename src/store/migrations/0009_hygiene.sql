-- The runs of words of a mail, as numbers under the installation's key: what was written inside is not to leave.
CREATE TABLE shingle (
message INTEGER PRIMARY KEY REFERENCES message(id),
inside INTEGER NOT NULL, -- 1: written for the team; 0: known to the customer
runs BLOB NOT NULL -- five bytes each; see mail/shingles.rs
) STRICT;

-- Mails that Baton wrote by itself, by whom they go to, so that there are never many.
CREATE TABLE automatic (
id INTEGER PRIMARY KEY,
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
peer TEXT NOT NULL, -- an address, lower case
at INTEGER NOT NULL,
route TEXT NOT NULL -- acknowledgement, notice
) STRICT;
CREATE INDEX automatic_peer ON automatic(mailbox, peer, at);
CREATE INDEX automatic_at ON automatic(at);

-- Addresses that get nothing from a machine for a while.
CREATE TABLE silence (
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
peer TEXT NOT NULL,
until INTEGER NOT NULL,
why TEXT NOT NULL, -- a sentence
PRIMARY KEY (mailbox, peer)
) STRICT, WITHOUT ROWID;

-- What was heard from whom, to know the same words again: of a text only its number is kept.
CREATE TABLE heard (
mailbox INTEGER NOT NULL REFERENCES mailbox(id),
peer TEXT NOT NULL,
digest INTEGER NOT NULL,
first_at INTEGER NOT NULL,
times INTEGER NOT NULL,
PRIMARY KEY (mailbox, peer, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX heard_at ON heard(first_at);

-- Since when this database knows what arrives: mail from before is never answered by a machine.
ALTER TABLE mailbox ADD COLUMN answers_since INTEGER;
-- 1: the server that sends does not take the null return path (RFC 5321, section 4.5.5).
ALTER TABLE mailbox ADD COLUMN null_path_refused INTEGER NOT NULL DEFAULT 0;
