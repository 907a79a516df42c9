UPDATE sending SET afterwards = '["resolve"]' WHERE fingerprint = 'f3';
