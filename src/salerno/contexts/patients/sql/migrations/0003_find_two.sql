-- How many people have a token, counted no further than `p_most`.
CREATE FUNCTION how_many_have(p_organisation uuid, p_token bigint, p_most integer)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM (
        SELECT FROM search_tokens s WHERE s.organisation = p_organisation AND s.token = p_token LIMIT p_most) AS few
$$;

-- Who has this token and that one, the newest first. The rarer of the two leads: each of its rows is looked up in the
-- other. Nearly always one of them is rare, and a few rows tell which; only of two common ones more are counted.
CREATE FUNCTION newest_with_two(p_organisation uuid, p_one bigint, p_other bigint, p_most integer)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    rarer bigint := p_one;
    other bigint := p_other;
BEGIN
    IF how_many_have(p_organisation, p_one, 100) >= 100 AND (
        how_many_have(p_organisation, p_other, 100) < 100
        OR how_many_have(p_organisation, p_other, 3000) < how_many_have(p_organisation, p_one, 3000)
    ) THEN
        rarer := p_other;
        other := p_one;
    END IF;
    RETURN QUERY
    SELECT l.subject FROM search_tokens l
    WHERE l.organisation = p_organisation AND l.token = rarer AND EXISTS (
        SELECT FROM search_tokens f
        WHERE f.organisation = p_organisation AND f.subject = l.subject AND f.token = other)
    ORDER BY l.subject DESC LIMIT p_most;
END $$;
