-- Learnt from the organisations' room: what an organisation has chosen for the sign-in of its people.
CREATE TABLE choices (
    organisation uuid PRIMARY KEY,
    factor_roles text[] NOT NULL,
    idle_default integer NOT NULL,
    idle_roles   text[] NOT NULL,
    idle_minutes integer[] NOT NULL,    -- of the role at the same place in idle_roles
    zone         text NOT NULL
);
