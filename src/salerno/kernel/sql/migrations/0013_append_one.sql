-- Nearly every append is of one event: it needs no unnesting and no sort. Every name in the body is qualified, so the
-- search path need not be set and put back at each call.
CREATE OR REPLACE FUNCTION kernel.append(
    p_organisation uuid, p_type text, p_stream uuid, p_expected integer, p_subject uuid, p_key uuid,
    p_wrapped bytea, p_user uuid, p_at timestamptz,
    p_ids uuid[], p_types text[], p_data bytea[], p_metadata jsonb
) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    taken integer;
    place bigint;
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
    IF cardinality(p_ids) = 1 THEN
        INSERT INTO kernel.event_store (event_id, aggregate_type, aggregate_id, event_type, event_data, metadata,
                                        version, hospital_id, user_id, "timestamp", subject_id, key_id)
        VALUES (p_ids[1], p_type, p_stream, p_types[1], p_data[1], p_metadata,
                p_expected + 1, p_organisation, p_user, p_at, p_subject, p_key)
        RETURNING position INTO place;
        RETURN NEXT place;
        RETURN;
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
