INSERT INTO outlook (mailbox, spelled, made, read_to, seen_at, notice)
VALUES (1, 'Baton: Ana', '["Baton: Ana"]', 1763900000, 1763900100, 'no colours');
INSERT INTO outlook_copy (mailbox, id, message_id, message, folder, names, attempt)
VALUES (1, 'AAkALgAA1', 'a@shop.example', 1, 'AQMkF0001', '["Baton: Ana"]', '["Baton: Ana","Baton: Blocked"]');
INSERT INTO outlook_copy (mailbox, id, message_id, folder, undecided, undecided_since, decide_at)
VALUES (1, 'AAkALgAA2', 'new@shop.example', 'AQMkF0001', '["Baton: Ana"]', 1763900000, 1763900030);
INSERT INTO outbox (mailbox, thread, effect, due_at) VALUES (1, 1, 'show-categories', 1763900000);
