-- Learnt from the organisations' room: whether its people may do without a password where a passkey stands.
ALTER TABLE choices ADD COLUMN password_demanded boolean NOT NULL DEFAULT false;
