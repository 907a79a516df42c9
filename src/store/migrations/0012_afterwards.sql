-- What an answer does to its thread once it has left, as its writer asked for in its first lines; JSON.
ALTER TABLE sending ADD COLUMN afterwards TEXT NOT NULL DEFAULT '[]';
