-- Organisations and locations: sealed documents under the organisation's own key.

CREATE TABLE hospitals (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('independent', 'clinic', 'hospital')),
    PRIMARY KEY (organisation, id),
    CHECK (organisation = id)
);

CREATE TABLE locations (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,
    closed       boolean NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- A guard: two locations in use never have one name. Never rebuilt.
CREATE TABLE location_names (
    organisation uuid NOT NULL,
    name         bigint NOT NULL,               -- token of the name as compared
    location     uuid NOT NULL,
    PRIMARY KEY (organisation, location),
    UNIQUE (organisation, name)
);
