-- Roles that organisations make. A name is given once, also after its role has retired: accounts keep the name.
CREATE TABLE made_roles (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,          -- the organisation
    version      integer NOT NULL,
    recorded_at  timestamptz NOT NULL,
    doc          bytea NOT NULL,         -- name, title and permissions, sealed
    status       text NOT NULL,
    PRIMARY KEY (organisation, id)
);

CREATE TABLE role_names (
    organisation uuid NOT NULL,
    name         bigint NOT NULL,        -- keyed
    role         uuid NOT NULL,
    PRIMARY KEY (organisation, name)
);
