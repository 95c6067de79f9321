-- Keys that devices keep for their owners. What a browser sends is found by the hash of the key's name.
CREATE TABLE passkeys (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,          -- the account
    doc          bytea NOT NULL,         -- the public key and what its owner calls it, sealed
    uses         bigint NOT NULL,        -- the authenticator's own counter; 0 where it keeps none
    added_at     timestamptz NOT NULL,
    used_at      timestamptz,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX passkeys_of_account ON passkeys (organisation, subject);

CREATE TABLE passkey_names (
    hash         bytea PRIMARY KEY,      -- of the credential's id
    home         uuid NOT NULL,
    account      uuid NOT NULL,
    passkey      uuid NOT NULL UNIQUE
);

-- A question put to an authenticator: answered once, soon, by the session that it was put to.
CREATE TABLE ceremonies (
    hash         bytea PRIMARY KEY,      -- of the random challenge
    kind         text NOT NULL,
    account      uuid,
    session      uuid,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);

-- When its owner last showed who they are, and since when the screen is locked.
ALTER TABLE sessions ADD COLUMN proved_at timestamptz;
ALTER TABLE sessions ADD COLUMN locked_at timestamptz;
