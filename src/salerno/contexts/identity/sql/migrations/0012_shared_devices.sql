-- Colleagues share browsers: the token that one of them was given there stands for the browser with all of them.
ALTER TABLE devices DROP CONSTRAINT devices_pkey;
ALTER TABLE devices ADD PRIMARY KEY (hash, account);
