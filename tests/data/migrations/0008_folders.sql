INSERT INTO draft (mailbox, sending, by_baton, message_id, placed) VALUES (1, 1, 1, 'copy.1.ab@baton.example.test', 0);
INSERT INTO draft (mailbox, by_baton, message_id, message, placed) VALUES (1, 0, 'd@client.example', 1, 1);
INSERT INTO drafting (message, thread, agent) VALUES (1, 1, 'ana');
