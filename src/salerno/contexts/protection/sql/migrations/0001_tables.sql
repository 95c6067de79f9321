-- Restrictions and broken glass: sealed documents, with what the wards need to know in readable ids and instants.
CREATE TABLE restrictions (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    version       integer NOT NULL,
    recorded_at   timestamptz NOT NULL,
    doc           bytea NOT NULL,
    active        boolean NOT NULL,
    named_only    boolean NOT NULL,
    accounts      uuid[] NOT NULL,               -- to whom it is open by name; selected, never searched
    PRIMARY KEY (organisation, id)
);
CREATE INDEX restrictions_active ON restrictions (organisation, recorded_at DESC) WHERE active;

CREATE TABLE glasses (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    version       integer NOT NULL,
    recorded_at   timestamptz NOT NULL,
    doc           bytea NOT NULL,
    account       uuid NOT NULL,
    reason        text NOT NULL,                 -- the code of the reason, as the access log has it too
    broken_at     timestamptz NOT NULL,
    until         timestamptz NOT NULL,          -- its time, or when it was ended before
    reviewed      boolean NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX glasses_by_end ON glasses (organisation, until);
CREATE INDEX glasses_to_review ON glasses (organisation, broken_at DESC) WHERE NOT reviewed;

-- Who has to do with whom: one row for each appointment or visit. `practitioner` is a member of staff or an account.
CREATE TABLE care (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    practitioner  uuid NOT NULL,
    location      uuid,
    at            timestamptz NOT NULL,          -- when it is, or was last
    active        boolean NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX care_of_patient ON care (organisation, subject, at);

-- Which account is whose, and where members of staff work.
CREATE TABLE accounts (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    staff         uuid,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX accounts_of_staff ON accounts (organisation, staff);
CREATE TABLE workplaces (
    organisation  uuid NOT NULL,
    staff         uuid NOT NULL,
    location      uuid NOT NULL,
    PRIMARY KEY (organisation, staff, location)
);

-- Whose chart a number is, and what stands above it in the privacy officer's lists.
CREATE TABLE people (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    doc           bytea NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE TABLE numbers (
    organisation  uuid NOT NULL,
    token         bigint NOT NULL,
    subject       uuid NOT NULL,
    PRIMARY KEY (organisation, token, subject)
);
CREATE INDEX numbers_of_subject ON numbers (organisation, subject);

CREATE TABLE merged_charts (
    organisation  uuid NOT NULL,
    patient       uuid NOT NULL,
    into_patient  uuid NOT NULL,
    PRIMARY KEY (organisation, patient)
);
CREATE INDEX merged_charts_into ON merged_charts (organisation, into_patient);
