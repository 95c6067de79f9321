-- Why somebody was erased is free text, and may name them: it is kept as ciphertext under the organisation's key.
-- The erasures so far keep their reasons, sealed, in the event that each of them wrote.
ALTER TABLE kernel.tombstones DROP COLUMN reason;
ALTER TABLE kernel.tombstones ADD COLUMN reason bytea;
