-- Identities at other OpenID providers, linked with accounts. What a provider calls somebody is found by a keyed token.
CREATE TABLE external_identities (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,          -- the account
    provider     text NOT NULL,          -- its id in the installation's table
    doc          bytea NOT NULL,         -- issuer and subject there, and a name for its owner, sealed
    linked_at    timestamptz NOT NULL,
    used_at      timestamptz,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX external_identities_of_account ON external_identities (organisation, subject);

CREATE TABLE external_names (
    token        bigint PRIMARY KEY,     -- keyed, of issuer and subject
    home         uuid NOT NULL,
    account      uuid NOT NULL,
    identity     uuid NOT NULL UNIQUE
);

-- Browsers that were sent to a provider: each comes back once, soon, with the token that only its cookie holds.
CREATE TABLE departures (
    hash         bytea PRIMARY KEY,
    provider     text NOT NULL,
    purpose      text NOT NULL,
    account      uuid,
    session      uuid,
    link         bytea,                  -- hash of the invitation that is accepted so
    begun_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX departures_by_end ON departures (expires_at);

-- By which provider a session was opened, and whether a second factor was shown there that counts here.
ALTER TABLE sessions ADD COLUMN provider text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN vouched boolean NOT NULL DEFAULT false;
ALTER TABLE challenges ADD COLUMN provider text NOT NULL DEFAULT '';
