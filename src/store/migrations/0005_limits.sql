-- What a provider's limits do to a mailbox.
ALTER TABLE mailbox ADD COLUMN waits_until INTEGER; -- when the next connection is tried; NULL while there is one
ALTER TABLE mailbox ADD COLUMN notice TEXT; -- what holds the mailbox back although it is connected
ALTER TABLE mailbox ADD COLUMN received_day INTEGER NOT NULL DEFAULT 0; -- days since 1970-01-01 in UTC
ALTER TABLE mailbox ADD COLUMN received_bytes INTEGER NOT NULL DEFAULT 0; -- from the server, on that day
