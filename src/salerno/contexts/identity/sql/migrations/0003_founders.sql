-- Who signed up to start an organisation of their own. Those who wait are shown to the system's administrators.
CREATE TABLE founders (
    home     uuid PRIMARY KEY,
    account  uuid NOT NULL UNIQUE,
    asked_at timestamptz NOT NULL
);
