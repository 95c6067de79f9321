-- The log, its heads, keys and readers. Append-only is enforced here, not hoped for.

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

CREATE FUNCTION kernel.current_organisation() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog
    RETURN nullif(current_setting('salerno.organisation', true), '')::uuid;

-- ------------------------------------------------------------------ keys
-- The master key (outside the database) wraps an organisation's keys; those wrap one key per subject.
CREATE TABLE kernel.organisation_keys (
    organisation  uuid PRIMARY KEY,
    wrapped       bytea NOT NULL,          -- key-encryption key and blind-index key, under the master key
    master_id     text NOT NULL,           -- which master key wraps it
    created_at    timestamptz NOT NULL
);

CREATE TABLE kernel.subject_keys (
    organisation  uuid NOT NULL,
    subject       uuid NOT NULL,
    key_id        uuid NOT NULL,
    wrapped       bytea,                   -- NULL: destroyed, the subject is erased
    created_at    timestamptz NOT NULL,
    destroyed_at  timestamptz,
    PRIMARY KEY (organisation, subject)
);

CREATE TABLE kernel.tombstones (
    organisation  uuid NOT NULL,
    subject       uuid NOT NULL,
    erased_at     timestamptz NOT NULL,
    erased_by     uuid NOT NULL,
    reason        text NOT NULL,
    PRIMARY KEY (organisation, subject)
);

-- ------------------------------------------------------------------ the log
CREATE SEQUENCE kernel.event_positions;

-- Columns as ESC-01 names them; "timestamp" is when Salerno recorded the event, never set by a client.
CREATE TABLE kernel.event_store (
    position       bigint NOT NULL DEFAULT nextval('kernel.event_positions'),
    -- The writing transaction. Readers stop before the oldest one still open, so that a late
    -- commit with a lower position is never skipped, and no table lock is needed.
    xid            xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id       uuid NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id   uuid NOT NULL,
    event_type     text NOT NULL,
    event_data     bytea NOT NULL,         -- AES-256-GCM under the subject's key
    metadata       jsonb NOT NULL,
    version        integer NOT NULL CHECK (version > 0),
    hospital_id    uuid NOT NULL,
    user_id        uuid NOT NULL,
    "timestamp"    timestamptz NOT NULL,
    subject_id     uuid NOT NULL,
    key_id         uuid NOT NULL
) PARTITION BY RANGE ("timestamp");
CREATE UNIQUE INDEX event_store_in_commit_order ON kernel.event_store (xid, position, "timestamp");
CREATE INDEX event_store_of_stream ON kernel.event_store (hospital_id, aggregate_id, version);
CREATE INDEX event_store_of_subject ON kernel.event_store (hospital_id, subject_id, position);

-- One row per stream. The version's uniqueness lives here, since a partitioned table cannot keep it.
CREATE TABLE kernel.streams (
    organisation   uuid NOT NULL,
    aggregate_id   uuid NOT NULL,
    aggregate_type text NOT NULL,
    subject        uuid NOT NULL,
    version        integer NOT NULL,
    first_at       timestamptz NOT NULL,
    last_at        timestamptz NOT NULL,
    PRIMARY KEY (organisation, aggregate_id, aggregate_type)
) WITH (fillfactor = 80);

CREATE TABLE kernel.aggregate_snapshots (
    organisation   uuid NOT NULL,
    aggregate_id   uuid NOT NULL,
    aggregate_type text NOT NULL,
    version        integer NOT NULL,
    shape          text NOT NULL,          -- fingerprint of the state's fields; another shape is ignored
    state          bytea NOT NULL,
    PRIMARY KEY (organisation, aggregate_id, aggregate_type)
);

CREATE FUNCTION kernel.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER event_store_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kernel.event_store
    FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change();

-- Appends to one stream: takes its head at the expected version, or says where it stands (SALVC).
CREATE FUNCTION kernel.append(
    p_organisation uuid, p_type text, p_stream uuid, p_expected integer, p_subject uuid, p_key uuid,
    p_wrapped bytea, p_user uuid, p_at timestamptz,
    p_ids uuid[], p_types text[], p_data bytea[], p_metadata jsonb
) RETURNS SETOF bigint LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    taken integer;
BEGIN
    IF p_wrapped IS NOT NULL THEN
        INSERT INTO kernel.subject_keys (organisation, subject, key_id, wrapped, created_at)
        VALUES (p_organisation, p_subject, p_key, p_wrapped, p_at);
    END IF;
    IF p_expected = 0 THEN
        INSERT INTO kernel.streams AS s (organisation, aggregate_id, aggregate_type, subject, version, first_at, last_at)
        VALUES (p_organisation, p_stream, p_type, p_subject, cardinality(p_ids), p_at, p_at)
        ON CONFLICT DO NOTHING;
    ELSE
        UPDATE kernel.streams s
        SET version = version + cardinality(p_ids),
            first_at = least(first_at, p_at), last_at = greatest(last_at, p_at)
        WHERE organisation = p_organisation AND aggregate_id = p_stream AND aggregate_type = p_type
          AND version = p_expected;
    END IF;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken = 0 THEN
        RAISE EXCEPTION 'stream moved on' USING ERRCODE = 'SALVC', DETAIL = coalesce((
            SELECT version FROM kernel.streams
            WHERE organisation = p_organisation AND aggregate_id = p_stream AND aggregate_type = p_type), 0)::text;
    END IF;
    RETURN QUERY
    INSERT INTO kernel.event_store (event_id, aggregate_type, aggregate_id, event_type, event_data, metadata,
                                    version, hospital_id, user_id, "timestamp", subject_id, key_id)
    SELECT e.id, p_type, p_stream, e.type, e.data, p_metadata,
           p_expected + e.nth::integer, p_organisation, p_user, p_at, p_subject, p_key
    FROM unnest(p_ids, p_types, p_data) WITH ORDINALITY AS e(id, type, data, nth)
    ORDER BY e.nth
    RETURNING position;
END $$;

-- Partitions are made ahead of time by the owner; a month that has one is left alone.
CREATE FUNCTION kernel.ensure_partitions(p_from date, p_until date) RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
DECLARE
    month date := date_trunc('month', p_from)::date;
    made integer := 0;
    log text;
    partition text;
BEGIN
    WHILE month <= p_until LOOP
        FOREACH log IN ARRAY ARRAY['event_store', 'access_log'] LOOP
            partition := log || '_' || to_char(month, 'YYYY_MM');
            IF to_regclass('kernel.' || partition) IS NULL THEN
                EXECUTE format('CREATE TABLE kernel.%I PARTITION OF kernel.%I FOR VALUES FROM (%L) TO (%L)',
                    partition, log, month::timestamp AT TIME ZONE 'UTC',
                    (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
                EXECUTE format('ALTER TABLE kernel.%I ENABLE ROW LEVEL SECURITY', partition);
                EXECUTE format('ALTER TABLE kernel.%I FORCE ROW LEVEL SECURITY', partition);
                made := made + 1;
            END IF;
        END LOOP;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;

-- ------------------------------------------------------------------ who has looked
CREATE SEQUENCE kernel.access_positions;
CREATE TABLE kernel.access_log (
    position     bigint NOT NULL DEFAULT nextval('kernel.access_positions'),
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at           timestamptz NOT NULL,
    organisation uuid NOT NULL,
    user_id      uuid NOT NULL,
    role         text NOT NULL,
    action       text NOT NULL,            -- the query's name, or what was refused
    category     text NOT NULL,            -- which kind of data it opens
    purpose      text NOT NULL,
    outcome      text NOT NULL,            -- disclosed, nothing, denied
    phi          boolean NOT NULL,
    subjects     uuid[] NOT NULL,
    address      text NOT NULL,
    request      text NOT NULL
) PARTITION BY RANGE (at);
CREATE UNIQUE INDEX access_log_in_commit_order ON kernel.access_log (xid, position, at);
CREATE INDEX access_log_of_organisation ON kernel.access_log (organisation, at DESC);
CREATE INDEX access_log_of_subjects ON kernel.access_log USING gin (subjects);
CREATE TRIGGER access_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kernel.access_log
    FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change();

-- ------------------------------------------------------------------ readers of the log
CREATE TABLE kernel.projection_checkpoints (
    reader       text PRIMARY KEY,
    xid          xid8 NOT NULL DEFAULT '0',
    position     bigint NOT NULL DEFAULT 0,
    updated_at   timestamptz
);

CREATE TABLE kernel.projection_errors (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reader       text NOT NULL,
    organisation uuid NOT NULL,
    aggregate_id uuid NOT NULL,
    event_type   text NOT NULL,
    xid          xid8 NOT NULL,
    position     bigint NOT NULL,
    error        text NOT NULL,            -- type and place only, never values
    attempts     integer NOT NULL DEFAULT 1,
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    resolved_at  timestamptz,
    UNIQUE (reader, position)
);

CREATE TABLE kernel.projection_state (
    projection   text PRIMARY KEY,
    rebuilt_at   timestamptz,
    events       bigint NOT NULL DEFAULT 0,
    rows         bigint NOT NULL DEFAULT 0,
    content      text NOT NULL DEFAULT ''  -- SHA-256 of the opened content at the last rebuild
);

CREATE TABLE kernel.idempotency_keys (
    organisation uuid NOT NULL,
    actor        uuid NOT NULL,
    route        text NOT NULL,
    key          text NOT NULL,
    fingerprint  bytea NOT NULL,           -- keyed hash of the body: the same key for another body is refused
    receipt      jsonb,
    at           timestamptz NOT NULL,
    PRIMARY KEY (organisation, actor, route, key)
);
CREATE INDEX idempotency_keys_by_age ON kernel.idempotency_keys (at);

-- Which process answers for which room, when rooms run in several processes.
CREATE TABLE kernel.room_addresses (
    room         text NOT NULL,
    address      text NOT NULL,
    seen_at      timestamptz NOT NULL,
    PRIMARY KEY (room, address)
);

-- ------------------------------------------------------------------ ESC-01's and ESC-14's names as views
CREATE VIEW kernel.events WITH (security_invoker = true) AS SELECT * FROM kernel.event_store;

-- ------------------------------------------------------------------ who may do what
GRANT USAGE ON SCHEMA kernel TO salerno_kernel, salerno_reader, salerno_access;
GRANT SELECT, INSERT ON kernel.event_store, kernel.organisation_keys TO salerno_kernel;
GRANT SELECT ON kernel.events, kernel.access_log, kernel.tombstones TO salerno_kernel;
GRANT UPDATE ON kernel.organisation_keys TO salerno_kernel;
GRANT SELECT, INSERT, UPDATE ON kernel.subject_keys, kernel.streams, kernel.aggregate_snapshots,
    kernel.idempotency_keys TO salerno_kernel;
GRANT INSERT ON kernel.tombstones TO salerno_kernel;
GRANT SELECT ON kernel.projection_checkpoints, kernel.projection_errors, kernel.projection_state,
    kernel.room_addresses TO salerno_kernel;
GRANT USAGE ON SEQUENCE kernel.event_positions TO salerno_kernel;
GRANT SELECT ON SEQUENCE kernel.event_positions TO salerno_kernel, salerno_reader;
GRANT INSERT ON kernel.access_log TO salerno_access;
GRANT USAGE ON SEQUENCE kernel.access_positions TO salerno_access;
GRANT SELECT ON kernel.event_store, kernel.events, kernel.streams, kernel.tombstones TO salerno_reader;
GRANT SELECT, INSERT, UPDATE ON kernel.projection_checkpoints, kernel.projection_errors, kernel.projection_state
    TO salerno_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON kernel.room_addresses TO salerno_reader;
GRANT DELETE ON kernel.idempotency_keys, kernel.aggregate_snapshots TO salerno_reader;

DO $$
DECLARE
    tenant record;
BEGIN
    FOR tenant IN SELECT * FROM (VALUES
        ('event_store', 'hospital_id'), ('streams', 'organisation'), ('organisation_keys', 'organisation'),
        ('subject_keys', 'organisation'), ('tombstones', 'organisation'), ('aggregate_snapshots', 'organisation'),
        ('access_log', 'organisation'), ('idempotency_keys', 'organisation')) AS t(name, owner_column)
    LOOP
        EXECUTE format('ALTER TABLE kernel.%I ENABLE ROW LEVEL SECURITY', tenant.name);
        EXECUTE format('ALTER TABLE kernel.%I FORCE ROW LEVEL SECURITY', tenant.name);
        EXECUTE format('CREATE POLICY own_organisation ON kernel.%I TO salerno_kernel
                        USING (%2$I = kernel.current_organisation())
                        WITH CHECK (%2$I = kernel.current_organisation())', tenant.name, tenant.owner_column);
    END LOOP;
END $$;
-- The log's readers follow every organisation; they see ciphertext and open nothing without its context.
CREATE POLICY reads_every_organisation ON kernel.event_store FOR SELECT TO salerno_reader USING (true);
CREATE POLICY reads_every_organisation ON kernel.streams FOR SELECT TO salerno_reader USING (true);
CREATE POLICY reads_every_organisation ON kernel.tombstones FOR SELECT TO salerno_reader USING (true);
-- Which organisations and master keys there are: names of keys, never keys in the clear.
GRANT SELECT ON kernel.organisation_keys TO salerno_reader;
CREATE POLICY reads_every_organisation ON kernel.organisation_keys FOR SELECT TO salerno_reader USING (true);
CREATE POLICY forgets_old_keys ON kernel.idempotency_keys FOR DELETE TO salerno_reader USING (true);
CREATE POLICY drops_snapshots ON kernel.aggregate_snapshots FOR DELETE TO salerno_reader USING (true);
CREATE POLICY writes_only ON kernel.access_log FOR INSERT TO salerno_access WITH CHECK (true);
