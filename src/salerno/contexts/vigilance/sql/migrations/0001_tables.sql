CREATE TABLE alerts (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,           -- the account that it is about
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    kind         text NOT NULL,
    status       text NOT NULL,           -- open, reviewed; own: shown to its person only
    at           timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX alerts_by_time ON alerts (organisation, at DESC, id);
CREATE INDEX alerts_of_account ON alerts (organisation, subject, at DESC, id);

-- Learnt from identity: whose record of staff belongs to an account.
CREATE TABLE readers (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    staff        uuid,
    role         text NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- What relatives share (a family name, a telephone, an address for letters), as keyed tokens.
CREATE TABLE kin_tokens (
    organisation uuid NOT NULL,
    person       uuid NOT NULL,           -- account, member of staff or patient
    reason       text NOT NULL,
    token        bigint NOT NULL,
    subject      uuid NOT NULL,
    PRIMARY KEY (organisation, person, reason, token)
);

-- When a patient was booked, seen or registered: what explains a look.
CREATE TABLE care (
    organisation uuid NOT NULL,
    patient      uuid NOT NULL,
    at           timestamptz NOT NULL,
    subject      uuid NOT NULL,
    PRIMARY KEY (organisation, patient, at)
);

-- When members of staff (by id) work, learnt from the staff room.
CREATE TABLE hours (
    organisation uuid NOT NULL,
    staff        uuid NOT NULL,
    subject      uuid NOT NULL,
    planned      text NOT NULL,
    PRIMARY KEY (organisation, staff)
);

CREATE TABLE practices (
    organisation uuid PRIMARY KEY,
    zone         text NOT NULL,
    country      text NOT NULL
);

-- What had been seen of an account's sign-ins, as keyed tokens. Never rebuilt: it is what was weighed by then.
CREATE TABLE known_sign_ins (
    organisation uuid NOT NULL,
    account      uuid NOT NULL,
    fact         text NOT NULL,
    token        bigint NOT NULL,
    subject      uuid NOT NULL,
    PRIMARY KEY (organisation, account, fact, token)
);

-- Which charts an account opened in the last minutes. Never rebuilt; forgotten as the minutes pass.
CREATE TABLE opened_charts (
    organisation uuid NOT NULL,
    account      uuid NOT NULL,
    patient      uuid NOT NULL,
    at           timestamptz NOT NULL,
    subject      uuid NOT NULL,
    PRIMARY KEY (organisation, account, patient)
);

-- What was said of an account (and of whose chart) is not said again before then. Never rebuilt.
CREATE TABLE silences (
    organisation uuid NOT NULL,
    account      uuid NOT NULL,
    kind         text NOT NULL,
    about        uuid NOT NULL,
    until        timestamptz NOT NULL,
    subject      uuid NOT NULL,
    PRIMARY KEY (organisation, account, kind, about)
);

-- The access log is followed from here on: what was looked at before this room was there is not judged.
INSERT INTO kernel.access_followers (reader) VALUES ('vigilance');
