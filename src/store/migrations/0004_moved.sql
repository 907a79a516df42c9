-- When a person moved the message last, as far as Baton saw it.
ALTER TABLE message ADD COLUMN moved_at INTEGER;
-- Where Baton has moved the message to, and when, if the server did not tell its new UID: there it is met again, and no
-- person moved it.
ALTER TABLE message ADD COLUMN moving_to TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN moving_at INTEGER;
-- 1 and more: a copy that showed up in a folder which its message had left, while another copy lies elsewhere, and for how
-- many looks. Either a person moved the message back, or a mail program did not notice that it was moved.
ALTER TABLE location ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;
CREATE INDEX location_doubt ON location(folder, uid) WHERE doubt > 0;

-- Folders that messages have left, for a day.
CREATE TABLE left_folder (
message INTEGER NOT NULL REFERENCES message(id),
folder INTEGER NOT NULL REFERENCES folder(id),
at INTEGER NOT NULL,
PRIMARY KEY (message, folder)
) STRICT, WITHOUT ROWID;
CREATE INDEX left_folder_at ON left_folder(at);
