CREATE TABLE visits (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    practitioner uuid,
    appointment  uuid,
    status       text NOT NULL,
    started_at   timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX visits_of_subject ON visits (organisation, subject, started_at DESC, id);
CREATE INDEX open_visits ON visits (organisation, started_at) WHERE status = 'open';

CREATE TABLE notes (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    visit        uuid NOT NULL,
    author       uuid NOT NULL,
    status       text NOT NULL,
    started_at   timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX notes_of_subject ON notes (organisation, subject, started_at DESC, id);
CREATE INDEX notes_of_visit ON notes (organisation, visit);
CREATE INDEX unsigned_notes ON notes (organisation, author) WHERE status = 'draft';

-- Which charts were merged into which, learnt from the patients' room.
CREATE TABLE merged_charts (
    organisation uuid NOT NULL,
    patient      uuid NOT NULL,
    into_patient uuid NOT NULL,
    PRIMARY KEY (organisation, patient)
);
CREATE INDEX merged_charts_into ON merged_charts (organisation, into_patient);
