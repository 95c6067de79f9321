-- The OpenID provider: applications, and what they were granted. Secrets, codes and tokens stand here as hashes.

CREATE TABLE clients (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    status       text NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- Whose application it is: asked before an organisation is known.
CREATE TABLE client_homes (
    client       uuid PRIMARY KEY,
    home         uuid NOT NULL
);

CREATE TABLE client_secrets (
    client       text PRIMARY KEY,
    hash         bytea NOT NULL,
    made_at      timestamptz NOT NULL
);

-- One-time ids of assertions by which clients prove who they are.
CREATE TABLE assertions (
    client       text NOT NULL,
    hash         bytea NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (client, hash)
);
CREATE INDEX assertions_by_end ON assertions (expires_at);

-- What a client asks of a person: pushed by the client, or kept while the person signs in and decides.
CREATE TABLE authorizations (
    hash         bytea PRIMARY KEY,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    doc          bytea NOT NULL,         -- the request, sealed
    client       text NOT NULL,
    pushed       boolean NOT NULL,
    asked_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX authorizations_by_end ON authorizations (expires_at);

-- What a client was granted, one row for each time. It lives and ends as a session does; `parent` is the browser's.
CREATE TABLE grants (
    session      uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    parent       uuid REFERENCES sessions ON DELETE SET NULL,
    client       text NOT NULL,
    home         uuid NOT NULL,
    account      uuid,                   -- none where the client acts for itself
    scope        text NOT NULL,
    audience     text NOT NULL,
    patient      uuid,
    encounter    uuid,
    auth_time    timestamptz NOT NULL,
    factor       boolean NOT NULL
);
CREATE INDEX grants_of_parent ON grants (parent);
CREATE INDEX grants_of_client ON grants (client, account);

CREATE TABLE codes (
    hash         bytea PRIMARY KEY,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    doc          bytea NOT NULL,         -- what the code stands for, sealed
    client       text NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    granted      uuid
);
CREATE INDEX codes_by_end ON codes (expires_at);

CREATE TABLE device_codes (
    hash         bytea PRIMARY KEY,
    user_hash    bytea NOT NULL UNIQUE,
    client       text NOT NULL,
    scope        text NOT NULL,
    expires_at   timestamptz NOT NULL,
    polled_at    timestamptz NOT NULL,
    seconds      integer NOT NULL,       -- between two polls
    allowed      boolean,
    home         uuid,
    account      uuid,
    parent       uuid REFERENCES sessions ON DELETE CASCADE
);
CREATE INDEX device_codes_by_end ON device_codes (expires_at);

CREATE TABLE consents (
    account      uuid NOT NULL,
    client       text NOT NULL,
    scope        text NOT NULL,
    given_at     timestamptz NOT NULL,
    PRIMARY KEY (account, client)
);

-- From a chart into an application: which patient it was opened for.
CREATE TABLE launches (
    hash         bytea PRIMARY KEY,
    client       text NOT NULL,
    account      uuid NOT NULL,
    patient      uuid NOT NULL,
    encounter    uuid,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX launches_by_end ON launches (expires_at);

-- Clients that are still to be told of a sign-out.
CREATE TABLE logouts (
    session      uuid PRIMARY KEY,
    parent       uuid,
    client       text NOT NULL,
    home         uuid NOT NULL,
    account      uuid,
    tries        integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL
);
CREATE INDEX logouts_by_due ON logouts (due_at);
