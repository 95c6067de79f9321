-- Accounts and what proves who somebody is.
-- Tables with `organisation` are fenced by row. Those without are looked up before an organisation is known;
-- they hold keyed tokens, hashes and ids only, and this room's role alone reaches them.

CREATE TABLE accounts (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    role         text NOT NULL,
    status       text NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- Never rebuilt: no event holds what is in here.
CREATE TABLE credentials (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,          -- the account
    subject      uuid NOT NULL,
    doc          bytea NOT NULL,         -- the password's hash, sealed
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);

CREATE TABLE factors (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,          -- the account
    subject      uuid NOT NULL,
    doc          bytea NOT NULL,         -- the authenticator's secret, sealed
    last_step    bigint NOT NULL DEFAULT 0,
    confirmed    boolean NOT NULL DEFAULT false,
    begun_at     timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);

CREATE TABLE recovery_codes (
    organisation uuid NOT NULL,
    account      uuid NOT NULL,
    hash         bytea NOT NULL,
    used_at      timestamptz,
    PRIMARY KEY (organisation, account, hash)
);

CREATE TABLE signing_keys (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    doc          bytea NOT NULL,         -- the private key, sealed
    made_at      timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- One account per e-mail address in the whole installation.
CREATE TABLE logins (
    token        bigint PRIMARY KEY,     -- keyed, of the normalised address
    home         uuid NOT NULL,          -- the organisation of the account
    account      uuid NOT NULL UNIQUE
);

CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    home         uuid NOT NULL,
    account      uuid NOT NULL,
    kind         text NOT NULL,
    token_hash   bytea UNIQUE,
    csrf         text NOT NULL,
    factor       boolean NOT NULL,
    opened_at    timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    doc          bytea NOT NULL          -- from where, sealed under the account's key
);
CREATE INDEX sessions_of_account ON sessions (account) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash         bytea PRIMARY KEY,
    session      uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    expires_at   timestamptz NOT NULL,
    spent_at     timestamptz
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session);

CREATE TABLE challenges (
    hash         bytea PRIMARY KEY,
    home         uuid NOT NULL,
    account      uuid NOT NULL,
    kind         text NOT NULL,
    tries        integer NOT NULL DEFAULT 0,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX challenges_by_end ON challenges (expires_at);

CREATE TABLE attempts (
    kind         text NOT NULL,
    token        bigint NOT NULL,
    since        timestamptz NOT NULL,
    failures     integer NOT NULL,
    in_a_row     integer NOT NULL,
    PRIMARY KEY (kind, token)
);
CREATE INDEX attempts_by_age ON attempts (since);

CREATE TABLE devices (
    hash         bytea PRIMARY KEY,
    account      uuid NOT NULL,
    seen_at      timestamptz NOT NULL
);
CREATE INDEX devices_of_account ON devices (account);

CREATE TABLE chart_codes (
    hash         bytea PRIMARY KEY,
    id           uuid NOT NULL,
    home         uuid NOT NULL,
    patient      uuid NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX chart_codes_of_patient ON chart_codes (home, patient);

-- Which chart belongs to which account: one to one.
CREATE TABLE chart_links (
    organisation uuid NOT NULL,
    patient      uuid NOT NULL,
    account      uuid NOT NULL,
    PRIMARY KEY (organisation, patient)
);

-- Learnt from the organisations' room.
CREATE TABLE homes (
    home         uuid PRIMARY KEY,
    registered_at timestamptz NOT NULL
);
