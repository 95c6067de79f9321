-- What its owner has shown in a session, and what a grant rests on: the words of RFC 8176, which programs are told.
ALTER TABLE sessions ADD COLUMN shown text[] NOT NULL DEFAULT '{}';
ALTER TABLE grants ADD COLUMN shown text[] NOT NULL DEFAULT '{}';
ALTER TABLE challenges ADD COLUMN shown text[] NOT NULL DEFAULT '{}';
