-- The Message-ID that the provider put in the place of Baton's; NULL where it kept that.
ALTER TABLE sending ADD COLUMN given_id TEXT;
CREATE INDEX sending_given_id ON sending(mailbox, given_id) WHERE given_id IS NOT NULL;
