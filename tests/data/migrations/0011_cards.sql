UPDATE message SET particulars = '{"writer":[["Carla Doe","c@shop.example"]],"attachments":[["a.png",1200]]}' WHERE id = 1;
INSERT INTO card (event, sending, thread, agent, answered) VALUES (1, 3, 1, 'ana', 'a@shop.example');
INSERT INTO card_reply (event, message_id) VALUES (1, 'r@team.example');
