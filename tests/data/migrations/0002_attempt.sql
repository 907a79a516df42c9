UPDATE outbox SET attempt = '{"keywords":["baton-ana"],"place":"owned:ana"}' WHERE thread = 1;
