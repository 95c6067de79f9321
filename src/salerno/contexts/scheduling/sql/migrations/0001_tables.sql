-- Views of this room's own events.
CREATE TABLE appointments (
    organisation  uuid NOT NULL,
    id            uuid NOT NULL,
    subject       uuid NOT NULL,
    version       integer NOT NULL,
    recorded_at   timestamptz NOT NULL,
    doc           bytea NOT NULL,
    practitioner  uuid NOT NULL,
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    status        text NOT NULL,
    visit_type    text NOT NULL,
    room          uuid,
    location      uuid,
    checked_in_at timestamptz,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX appointments_by_time ON appointments (organisation, starts_at, id);
CREATE INDEX appointments_by_practitioner ON appointments (organisation, practitioner, starts_at);
CREATE INDEX appointments_of_subject ON appointments (organisation, subject, starts_at);
CREATE INDEX appointments_waiting ON appointments (organisation, checked_in_at) WHERE status = 'checked-in';

CREATE TABLE visit_types (
    organisation  uuid NOT NULL,
    code          text NOT NULL,
    name_it       text NOT NULL,
    name_en       text NOT NULL,
    kind          text NOT NULL,
    minutes       integer NOT NULL,
    buffer_before integer NOT NULL,
    buffer_after  integer NOT NULL,
    colour        integer NOT NULL,
    retired       boolean NOT NULL,
    PRIMARY KEY (organisation, code)
);

CREATE TABLE rooms (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    kind         text NOT NULL,
    location     uuid,
    retired      boolean NOT NULL,
    version      integer NOT NULL,
    PRIMARY KEY (organisation, id)
);

-- What other rooms have said. Names are sealed under the key of the person they name.
CREATE TABLE people (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,
    kind         text NOT NULL,                -- patient, practitioner
    active       boolean NOT NULL DEFAULT true,
    role         text NOT NULL DEFAULT '',
    specialties  text[] NOT NULL DEFAULT '{}',
    merged_into  uuid,
    doc          bytea NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX people_practising ON people (organisation) WHERE kind = 'practitioner';
CREATE INDEX people_merged ON people (organisation, merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE rosters (
    organisation uuid NOT NULL,
    practitioner uuid NOT NULL,
    roster       jsonb NOT NULL,
    PRIMARY KEY (organisation, practitioner)
);

CREATE TABLE practices (
    organisation uuid PRIMARY KEY,
    timezone     text NOT NULL,
    country      text NOT NULL,
    opens        text NOT NULL,                -- what the calendar shows
    closes       text NOT NULL,
    online       boolean NOT NULL,             -- whether patients book by themselves
    days_ahead   integer NOT NULL
);

CREATE TABLE places (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    active       boolean NOT NULL DEFAULT true,
    PRIMARY KEY (organisation, id)
);

-- A guard, not a view: it says no. Never emptied by a rebuild. One row for each practitioner, patient and room held.
CREATE TABLE held_slots (
    organisation uuid NOT NULL,
    appointment  uuid NOT NULL,
    kind         text NOT NULL,
    resource     uuid NOT NULL,
    during       tstzrange NOT NULL CHECK (NOT isempty(during)),
    PRIMARY KEY (organisation, appointment, kind),
    CONSTRAINT no_two_at_once EXCLUDE USING gist (organisation WITH =, resource WITH =, during WITH &&)
);

-- Whoever books something takes the same locks in the same order first, so that two bookings of one slot meet here
-- and not in the exclusion constraint, where each would wait for the other; and sees every hold that is in the way.
CREATE FUNCTION holds_in_the_way(
    p_organisation uuid, p_appointment uuid, p_locks bigint[],
    p_kinds text[], p_resources uuid[], p_from timestamptz[], p_until timestamptz[]
) RETURNS TABLE (kind text, resource uuid, appointment uuid, starts_at timestamptz, ends_at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(l.key) FROM (SELECT key FROM unnest(p_locks) AS key ORDER BY key) AS l;
    RETURN QUERY
    SELECT w.kind, h.resource, h.appointment, lower(h.during), upper(h.during)
    FROM unnest(p_kinds, p_resources, p_from, p_until) AS w(kind, resource, starting, ending)
    JOIN held_slots h ON h.organisation = p_organisation AND h.resource = w.resource
        AND h.during && tstzrange(w.starting, w.ending)
    WHERE h.appointment <> p_appointment
    ORDER BY lower(h.during), w.kind, h.appointment;
END $$;

-- Lets go of what an appointment held and holds what it needs now, in one step.
CREATE FUNCTION swap_holds(
    p_organisation uuid, p_appointment uuid,
    p_kinds text[], p_resources uuid[], p_from timestamptz[], p_until timestamptz[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM held_slots h WHERE h.organisation = p_organisation AND h.appointment = p_appointment;
    INSERT INTO held_slots (organisation, appointment, kind, resource, during)
    SELECT p_organisation, p_appointment, w.kind, w.resource, tstzrange(w.starting, w.ending)
    FROM unnest(p_kinds, p_resources, p_from, p_until) AS w(kind, resource, starting, ending);
END $$;

-- A merged chart leads to the chart that stands for it today.
CREATE FUNCTION chart_of(p_organisation uuid, p_patient uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain AS (
        SELECT id, merged_into, 0 AS step FROM people WHERE organisation = p_organisation AND id = p_patient
        UNION ALL
        SELECT p.id, p.merged_into, c.step + 1 FROM chain c
        JOIN people p ON p.organisation = p_organisation AND p.id = c.merged_into WHERE c.step < 20
    )
    SELECT id FROM chain WHERE merged_into IS NULL
$$;

CREATE FUNCTION charts_behind(p_organisation uuid, p_patient uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE tree AS (
        SELECT p_patient AS id, 0 AS step
        UNION ALL
        SELECT p.id, t.step + 1 FROM tree t
        JOIN people p ON p.organisation = p_organisation AND p.merged_into = t.id WHERE t.step < 20
    )
    SELECT array_agg(DISTINCT id) FROM tree
$$;
