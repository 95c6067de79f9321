-- Patients: sealed documents and what finds them. No readable column identifies anybody.

CREATE TABLE patients (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    version       integer NOT NULL,
    recorded_at   timestamptz NOT NULL,
    doc           bytea NOT NULL,
    status        text NOT NULL CHECK (status IN ('active', 'removed', 'merged')),
    touched_at    timestamptz NOT NULL,          -- registered or last changed, merges apart
    PRIMARY KEY (organisation, id)
) WITH (fillfactor = 85);
CREATE INDEX patients_by_touch ON patients (organisation, touched_at DESC, id DESC) WHERE status = 'active';
CREATE INDEX patients_removed ON patients (organisation, touched_at DESC, id DESC) WHERE status = 'removed';

-- The small sealed document that a search opens, with the tokens it is found by.
CREATE TABLE cards (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    doc           bytea NOT NULL,
    status        text NOT NULL CHECK (status IN ('active', 'removed', 'merged')),
    mrn           bigint NOT NULL,               -- token of the medical record number
    tokens        bigint[] NOT NULL,
    PRIMARY KEY (organisation, id),
    CONSTRAINT mrn_is_unique UNIQUE (organisation, mrn)
);

-- The blind index. A b-tree, since row-level security lets the planner use no index through operators that
-- are not leakproof, and those of arrays (GIN) are not.
CREATE TABLE search_tokens (
    organisation  uuid NOT NULL,
    token         bigint NOT NULL,
    subject       uuid NOT NULL,
    PRIMARY KEY (token, subject, organisation)
);

-- Which chart was read as part of which, and when.
CREATE TABLE links (
    organisation  uuid NOT NULL,
    patient       uuid NOT NULL,
    survivor      uuid NOT NULL,
    merged_at     timestamptz NOT NULL,
    version       integer NOT NULL,              -- of the duplicate's stream when it was merged
    unmerged_at   timestamptz,
    PRIMARY KEY (organisation, patient, version)
);
CREATE INDEX links_of_survivor ON links (organisation, survivor);

-- Numbers made ahead and not yet taken: an aborted registration gives its own back, so none is ever skipped.
CREATE TABLE free_numbers (
    organisation  uuid NOT NULL,
    year          integer NOT NULL,
    number        integer NOT NULL CHECK (number BETWEEN 1 AND 999999),
    PRIMARY KEY (organisation, year, number)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
CREATE TABLE number_counters (
    organisation  uuid NOT NULL,
    year          integer NOT NULL,
    made          integer NOT NULL CHECK (made BETWEEN 0 AND 999999),
    PRIMARY KEY (organisation, year)
);

-- How many there are, as the sum of a few rows: counting a hundred thousand takes too long, one counter makes queues.
CREATE TABLE tallies (
    organisation  uuid NOT NULL,
    status        text NOT NULL,
    change        bigint NOT NULL
);
CREATE INDEX tallies_of_organisation ON tallies (organisation, status) INCLUDE (change);

-- What this room knows of its organisation, from the organisations' events.
CREATE TABLE practices (
    organisation         uuid PRIMARY KEY,
    country              text NOT NULL,
    timezone             text NOT NULL,
    duplicate_threshold  double precision NOT NULL CHECK (duplicate_threshold BETWEEN 0 AND 1)
);

-- Everything that a registration needs to know, in one round trip. The locks come first, and in a volatile function
-- each statement sees what was committed before it: of two registrations of one person the second sees the first.
CREATE FUNCTION register_facts(
    p_organisation uuid, p_locks bigint[], p_tokens bigint[], p_most integer, p_year integer, p_floor integer
) RETURNS TABLE (
    country text, timezone text, duplicate_threshold double precision, number integer,
    id uuid, subject uuid, status text, doc bytea
) LANGUAGE plpgsql AS $$
DECLARE
    known practices;
    taken integer;
BEGIN
    PERFORM pg_advisory_xact_lock(l.token) FROM (SELECT unnest(p_locks) AS token ORDER BY 1) l;
    SELECT * INTO known FROM practices p WHERE p.organisation = p_organisation;
    IF p_year IS NOT NULL THEN
        DELETE FROM free_numbers f WHERE f.organisation = p_organisation AND f.year = p_year AND f.number = (
            SELECT g.number FROM free_numbers g
            WHERE g.organisation = p_organisation AND g.year = p_year AND g.number >= p_floor
            ORDER BY g.number LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING f.number INTO taken;
    END IF;
    INSERT INTO tallies (organisation, status, change) VALUES (p_organisation, 'active', 1);
    RETURN QUERY
    SELECT known.country, known.timezone, known.duplicate_threshold, taken, c.id, c.subject, c.status, c.doc
    FROM (VALUES (true)) AS one LEFT JOIN (
        SELECT DISTINCT t.subject FROM search_tokens t
        WHERE t.organisation = p_organisation AND t.token = ANY(p_tokens) LIMIT p_most) s ON true
    LEFT JOIN cards c ON c.organisation = p_organisation AND c.id = s.subject;
END $$;
