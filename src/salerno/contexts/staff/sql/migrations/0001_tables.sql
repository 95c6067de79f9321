-- Members of staff, what is kept of doctors only, and the clinic's time zone as other rooms told it.

CREATE TABLE members (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    role         text NOT NULL,
    removed      boolean NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX members_at_work ON members (organisation, role) WHERE NOT removed;

CREATE TABLE doctors (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    PRIMARY KEY (organisation, id)
);

CREATE TABLE clinic_time (
    organisation uuid PRIMARY KEY,
    timezone     text NOT NULL
);
