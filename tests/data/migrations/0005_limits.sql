UPDATE mailbox SET waits_until = 1764000900, notice = 'the server slows it down', received_day = 20415,
                   received_bytes = 1600000000 WHERE id = 1;
