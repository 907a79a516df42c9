UPDATE message SET moved_at = 1764000000, moving_to = 'owned:ana', moving_at = 1764000001 WHERE thread = 1;
INSERT INTO left_folder (message, folder, at) SELECT message, folder, 1764000000 FROM location;
UPDATE location SET doubt = 1;
