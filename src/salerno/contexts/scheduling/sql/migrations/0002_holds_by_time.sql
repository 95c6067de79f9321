-- What is in the way of a booking, found by plain comparisons. Row-level security lets no index be used through
-- the operators of ranges, which are not leakproof: all that somebody had ever held was read.
-- A visit of a day with its buffers takes 32 hours at most, so what ends later than two days after is not in the way.
ALTER TABLE held_slots
    ADD COLUMN starts_at timestamptz NOT NULL GENERATED ALWAYS AS (lower(during)) STORED,
    ADD COLUMN ends_at timestamptz NOT NULL GENERATED ALWAYS AS (upper(during)) STORED,
    ADD CONSTRAINT two_days_at_most CHECK (upper(during) - lower(during) <= interval '2 days');
CREATE INDEX held_slots_by_end ON held_slots (organisation, resource, ends_at, starts_at);

CREATE OR REPLACE FUNCTION holds_in_the_way(
    p_organisation uuid, p_appointment uuid, p_locks bigint[],
    p_kinds text[], p_resources uuid[], p_from timestamptz[], p_until timestamptz[]
) RETURNS TABLE (kind text, resource uuid, appointment uuid, starts_at timestamptz, ends_at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(l.key) FROM (SELECT key FROM unnest(p_locks) AS key ORDER BY key) AS l;
    FOR nth IN 1 .. cardinality(p_kinds) LOOP
        RETURN QUERY
        SELECT p_kinds[nth], h.resource, h.appointment, h.starts_at, h.ends_at FROM held_slots h
        WHERE h.organisation = p_organisation AND h.resource = p_resources[nth] AND h.appointment <> p_appointment
          AND h.ends_at > p_from[nth] AND h.ends_at < p_until[nth] + interval '2 days' AND h.starts_at < p_until[nth];
    END LOOP;
END $$;
