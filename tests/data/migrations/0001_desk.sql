INSERT INTO mailbox (id, name, layout, last_seen_at) VALUES (1, 'support', 'folders', 1763900000);
INSERT INTO folder (id, mailbox, name, role, place, uidvalidity, next_uid, modseq)
VALUES (1, 1, 'INBOX', 'inbox', 'inbox', 17, 4, 99), (2, 1, 'Baton/Ana', 'baton', 'owned:ana', 18, 2, 7);
INSERT INTO thread (id, mailbox, subject, customer, state, owner, escalated, before, block_reason, block_until,
                    first_response_at, last_customer_at, resolved_at, reopens, drafted, created_at, updated_at)
VALUES (1, 1, 'Broken kettle', 'mia@shop.example', 'blocked', 'ana', 1, 'in-progress', 'the plumber', 1764000000,
        NULL, 1763900000, NULL, 0, 1, 1763900000, 1763900100);
INSERT INTO thread (id, mailbox, subject, customer, state, escalated, reopens, drafted, linked_to, created_at, updated_at)
VALUES (2, 1, 'Broken kettle', 'eve@other.example', 'new', 0, 0, 0, 1, 1763900200, 1763900200);
INSERT INTO message (id, mailbox, identity, message_id, fingerprint, thread, status, direction, kind, sender,
                     recipients, subject, arrived_at, sent_at, size, excerpt, joined_by, place, marks)
VALUES (1, 1, 'a@shop.example', 'a@shop.example', '00', 1, 'threaded', 'customer', 'human', 'mia@shop.example',
        '["support@example.test"]', 'Broken kettle', 1763900000, NULL, 900, 'It leaks.', 'refers to no known thread',
        'owned:ana', '\Flagged');
INSERT INTO message (id, mailbox, identity, message_id, fingerprint, status, reason, direction, kind, sender,
                     recipients, subject, arrived_at, size, place)
VALUES (2, 1, 'b@spam.example', 'b@spam.example', '01', 'ignored', 'it came into Junk', 'customer', 'human',
        'x@spam.example', '[]', 'Win', 1763900001, 80, 'junk');
INSERT INTO location (folder, uid, message, flags) VALUES (2, 1, 1, '\Flagged \Seen');
INSERT INTO missing (message) VALUES (2);
INSERT INTO lost_location (folder, message, flags) VALUES (1, 2, '');
INSERT INTO reference (mailbox, ref, message) VALUES (1, 'a@shop.example', 1);
INSERT INTO participant (thread, address) VALUES (1, 'mia@shop.example');
INSERT INTO event (seq, mailbox, thread, other, at, body)
VALUES (1, 1, 1, NULL, 1763900000, '{"v":1,"actor":"customer","cause":{"by":"mail","detail":"seen in INBOX"},"what":{"kind":"opened","message":1,"joined_by":"refers to no known thread"},"change":{"subject":"Broken kettle","customer":"mia@shop.example","last_customer_at":"2025-11-23T12:13:20Z"}}');
INSERT INTO closing_move (mailbox, at, thread, event) VALUES (1, 1763900000, 1, 0);
INSERT INTO outbox (mailbox, thread, effect, due_at) VALUES (1, 1, 'show-marks', 1763900000);
