INSERT INTO credential (agent, salt, cost) VALUES ('ana', x'00112233445566778899aabbccddeeff', 'argon2id m=19456 t=2 p=1');
INSERT INTO password (agent, name, hash, made_at, used_at)
VALUES ('ana', 'mail', x'0011223344556677889900112233445566778899001122334455667788990011', 1763900000, 1763900100);
INSERT INTO password (agent, name, hash, made_at)
VALUES ('ana', 'phone', x'1111223344556677889900112233445566778899001122334455667788990011', 1763900000);
INSERT INTO sending (mailbox, thread, agent, route, state, due_at, envelope_from, recipients, message_id, answered, fingerprint, created_at)
VALUES (1, 1, 'ana', 'submission', '{"state":"held","until":"2026-11-24T05:01:00Z","why":{"hold":"time"}}', 1763900060,
'support@example.test', '[{"address":"c@shop.example"}]', '1.ab@baton.example.test', 'a@shop.example', 'f1', 1763900000);
INSERT INTO sending_mail (sending, raw) VALUES (1, x'0d0a');
INSERT INTO sending (mailbox, agent, route, state, envelope_from, recipients, message_id, fingerprint, created_at)
VALUES (1, 'ana', 'submission', '{"state":"held","until":null,"why":{"hold":"question","words":"It answers no thread."}}',
'support@example.test', '[{"address":"d@shop.example"}]', '2.ab@baton.example.test', 'f2', 1763900000);
