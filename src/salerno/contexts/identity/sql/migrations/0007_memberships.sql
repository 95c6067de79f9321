-- Somebody whose account is at home in another organisation, and works here too. The id is the account's.
CREATE TABLE members (
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

-- Where an account works beside its home: looked up before an organisation is known. Kept with every change of these.
CREATE TABLE workplaces (
    account      uuid NOT NULL,
    organisation_id uuid NOT NULL,
    PRIMARY KEY (account, organisation_id)
);

-- In which organisation a session acts; empty where it is its account's home.
ALTER TABLE sessions ADD COLUMN acting uuid;

-- What an organisation is called, sealed under its own key.
ALTER TABLE homes ADD COLUMN doc bytea;
ALTER TABLE homes ADD COLUMN subject uuid;
