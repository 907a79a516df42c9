-- What a card shows of a customer's mail, and an answer to it needs, beside what else is kept: JSON; NULL for other mail.
ALTER TABLE message ADD COLUMN particulars TEXT;
-- Cards that were put into the outbox.
CREATE TABLE card (
event INTEGER PRIMARY KEY, -- the event that it is about
sending INTEGER NOT NULL REFERENCES sending(id),
thread INTEGER NOT NULL REFERENCES thread(id),
agent TEXT NOT NULL, -- who got it
answered TEXT NOT NULL -- the Message-ID of the customer's mail that is answered by answering it
) STRICT;
CREATE INDEX card_sending ON card(sending);
-- Answers to cards that were taken, so that none is taken twice.
CREATE TABLE card_reply (
event INTEGER NOT NULL REFERENCES card(event),
message_id TEXT NOT NULL, -- the answer's
PRIMARY KEY (event, message_id)
) STRICT, WITHOUT ROWID;
