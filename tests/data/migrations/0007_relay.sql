INSERT INTO sending (mailbox, thread, agent, route, state, due_at, envelope_from, recipients, message_id, answered, fingerprint, created_at, attempts, given_id)
VALUES (1, 1, 'ana', 'submission', '{"state":"accepted","at":"2026-11-24T05:01:00Z"}', 1763900065,
'support@example.test', '[{"address":"c@shop.example"}]', '3.ab@baton.example.test', 'a@shop.example', 'f3', 1763900000, 1, '3@prod.outlook.example');
