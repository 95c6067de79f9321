CREATE TABLE problems (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    code         text NOT NULL,
    status       text NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX problems_of_subject ON problems (organisation, subject, at DESC, id);

CREATE TABLE allergies (LIKE problems INCLUDING ALL);
CREATE TABLE vitals (LIKE problems INCLUDING ALL);
CREATE TABLE histories (LIKE problems INCLUDING ALL);
CREATE TABLE immunizations (LIKE problems INCLUDING ALL);
CREATE TABLE procedures (LIKE problems INCLUDING ALL);
CREATE TABLE reports (LIKE problems INCLUDING ALL);
CREATE TABLE care_plans (LIKE problems INCLUDING ALL);
CREATE TABLE goals (LIKE problems INCLUDING ALL);

CREATE TABLE observations (LIKE problems INCLUDING ALL);
ALTER TABLE observations ADD COLUMN category text NOT NULL;
CREATE INDEX observations_by_code ON observations (organisation, subject, code, at DESC);

CREATE TABLE kept_resources (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    version       integer NOT NULL,
    recorded_at   timestamptz NOT NULL,
    doc           bytea NOT NULL,
    resource_type text NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX kept_resources_of_subject ON kept_resources (organisation, subject, resource_type, id);

-- Birth date and gender, sealed, learnt from the patients' room: ranges and scores depend on them.
CREATE TABLE people (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    doc          bytea NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- Which charts were merged into which, learnt from the patients' room.
CREATE TABLE merged_charts (
    organisation uuid NOT NULL,
    patient      uuid NOT NULL,
    into_patient uuid NOT NULL,
    PRIMARY KEY (organisation, patient)
);
CREATE INDEX merged_charts_into ON merged_charts (organisation, into_patient);
