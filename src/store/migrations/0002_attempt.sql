-- What is being written to the mailbox for a wish, as JSON: the keywords and the place. Kept before the server is asked,
-- forgotten when its answer is: in between, a crash or a lost connection leaves it open whether it was done.
ALTER TABLE outbox ADD COLUMN attempt TEXT;
