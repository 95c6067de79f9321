-- Which session at another provider opened one here: a hash of what it is called there, so that a sign-out there ends it.
ALTER TABLE sessions ADD COLUMN provider_session bytea;
ALTER TABLE challenges ADD COLUMN provider_session bytea;
CREATE INDEX sessions_by_provider ON sessions (provider, provider_session) WHERE provider_session IS NOT NULL;
