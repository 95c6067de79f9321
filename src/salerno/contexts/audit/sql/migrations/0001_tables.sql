-- Names of those who look and write, sealed under their own keys; learnt from identity and staff.
CREATE TABLE actors (
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
