CREATE TABLE prescriptions (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    prescriber   uuid NOT NULL,
    visit        uuid,
    status       text NOT NULL,
    signed       boolean NOT NULL,
    issued_at    timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX prescriptions_of_subject ON prescriptions (organisation, subject, issued_at DESC, id);
CREATE INDEX prescriptions_by_time ON prescriptions (organisation, issued_at DESC, id);
CREATE INDEX prescriptions_of_visit ON prescriptions (organisation, visit) WHERE visit IS NOT NULL;

CREATE TABLE medicines (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    status       text NOT NULL,
    started_at   timestamptz,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX medicines_of_subject ON medicines (organisation, subject, id);

-- What screening must know about a patient, learnt from the rooms of patients and records.
CREATE TABLE patient_facts (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    kind         text NOT NULL,
    subject      uuid NOT NULL,
    at           timestamptz NOT NULL,
    active       boolean NOT NULL,
    doc          bytea NOT NULL,
    PRIMARY KEY (organisation, id, kind)
);
CREATE INDEX patient_facts_of_subject ON patient_facts (organisation, subject, kind, at DESC);

-- Which charts were merged into which, learnt from the patients' room.
CREATE TABLE merged_charts (
    organisation uuid NOT NULL,
    patient      uuid NOT NULL,
    into_patient uuid NOT NULL,
    PRIMARY KEY (organisation, patient)
);
CREATE INDEX merged_charts_into ON merged_charts (organisation, into_patient);
