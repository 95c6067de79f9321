-- How many people have a token, counted no further than `p_most`.
CREATE FUNCTION how_many_have(p_organisation uuid, p_token bigint, p_most integer)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM (
        SELECT FROM search_tokens s WHERE s.organisation = p_organisation AND s.token = p_token LIMIT p_most) AS few
$$;

-- Of the newest `p_reach` people who have the first token, the newest who have the second too. The look-up of each is a
-- subquery that is asked for one row, so that no planner turns the two lists round: it would read the longer one.
CREATE FUNCTION newest_in_both(
    p_organisation uuid, p_first bigint, p_second bigint, p_reach integer, p_most integer
) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT n.subject FROM (
        SELECT l.subject FROM search_tokens l
        WHERE l.organisation = p_organisation AND l.token = p_first ORDER BY l.subject DESC LIMIT p_reach) AS n
    WHERE (SELECT true FROM search_tokens o
           WHERE o.token = p_second AND o.subject = n.subject AND o.organisation = p_organisation LIMIT 1)
    LIMIT p_most
$$;

-- Who has this token and that one, the newest first. The rarer of the two leads: each of its rows is looked up in the
-- other. Nearly always one of them is rare, and a hundred rows tell which. Of two common ones the newest few hundred
-- nearly always hold enough; where they do not, both lists are read.
CREATE FUNCTION newest_with_two(p_organisation uuid, p_one bigint, p_other bigint, p_most integer)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    few CONSTANT integer := 100;
    many CONSTANT integer := 1000;
    found uuid[];
BEGIN
    IF how_many_have(p_organisation, p_one, few) < few THEN
        RETURN QUERY SELECT newest_in_both(p_organisation, p_one, p_other, NULL, p_most);
    ELSIF how_many_have(p_organisation, p_other, few) < few THEN
        RETURN QUERY SELECT newest_in_both(p_organisation, p_other, p_one, NULL, p_most);
    ELSE
        found := ARRAY(SELECT newest_in_both(p_organisation, p_one, p_other, 4 * few, p_most));
        IF cardinality(found) = p_most THEN
            RETURN QUERY SELECT unnest(found);
        ELSIF how_many_have(p_organisation, p_one, many) < many THEN
            RETURN QUERY SELECT newest_in_both(p_organisation, p_one, p_other, NULL, p_most);
        ELSIF how_many_have(p_organisation, p_other, many) < many THEN
            RETURN QUERY SELECT newest_in_both(p_organisation, p_other, p_one, NULL, p_most);
        ELSE
            RETURN QUERY
            SELECT s.subject FROM search_tokens s WHERE s.organisation = p_organisation AND s.token = p_one
            INTERSECT
            SELECT s.subject FROM search_tokens s WHERE s.organisation = p_organisation AND s.token = p_other
            ORDER BY 1 DESC LIMIT p_most;
        END IF;
    END IF;
END $$;
