-- Who has one of these tokens, the newest first: from each token's list only as many as could be wanted are read, so
-- that a common name costs no more in a large practice than in a small one.
CREATE FUNCTION newest_with(p_organisation uuid, p_tokens bigint[], p_most integer)
RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT DISTINCT n.subject FROM unnest(p_tokens) AS t(token), LATERAL (
        SELECT s.subject FROM search_tokens s
        WHERE s.organisation = p_organisation AND s.token = t.token ORDER BY s.subject DESC LIMIT p_most) AS n
    ORDER BY 1 DESC LIMIT p_most
$$;

-- Who has one of these and one of those. The rarer side leads, and the other is looked up for each subject that it
-- names: which is rarer no statistics know, since tokens say nothing.
CREATE FUNCTION newest_with_both(
    p_organisation uuid, p_these bigint[], p_those bigint[], p_reach integer, p_most integer
) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    these uuid[] := ARRAY(SELECT newest_with(p_organisation, p_these, p_reach));
    those uuid[];
    probes bigint[] := p_those;
BEGIN
    IF cardinality(these) = 0 THEN
        RETURN;
    END IF;
    IF cardinality(these) > p_most THEN
        those := ARRAY(SELECT newest_with(p_organisation, p_those, p_reach));
        IF cardinality(those) < cardinality(these) THEN
            these := those;
            probes := p_these;
        END IF;
    END IF;
    RETURN QUERY
    SELECT n.subject FROM unnest(these) AS n(subject)
    WHERE (SELECT true FROM search_tokens o
           WHERE o.token = ANY(probes) AND o.subject = n.subject AND o.organisation = p_organisation LIMIT 1)
    LIMIT p_most;
END $$;
