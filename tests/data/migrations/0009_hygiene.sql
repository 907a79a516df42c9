INSERT INTO shingle (message, inside, runs) VALUES (1, 0, x'0011223344');
INSERT INTO automatic (mailbox, peer, at, route) VALUES (1, 'c@shop.example', 1763900000, 'acknowledgement');
INSERT INTO silence (mailbox, peer, until, why) VALUES (1, 'gone@shop.example', 1766492000, 'Mail to it came back: 5.1.1.');
INSERT INTO heard (mailbox, peer, digest, first_at, times) VALUES (1, 'c@shop.example', -7, 1763900000, 2);
UPDATE mailbox SET answers_since = 1763900000, null_path_refused = 1;
