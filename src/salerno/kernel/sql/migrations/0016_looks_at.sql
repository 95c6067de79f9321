-- Who has looked at a chart, found by index. Row-level security lets no index be used for "overlaps", since that
-- operator is not known to be leakproof, and would read an organisation's whole log for one chart. This function reads
-- as the log's own reader, whatever the owner of the tables is called, and answers lines of the caller's organisation
-- alone.
CREATE FUNCTION kernel.looks_at(p_charts uuid[]) RETURNS SETOF kernel.access_log
    LANGUAGE sql STABLE SET role = 'salerno_reader' SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM kernel.access_log l
    WHERE l.subjects && p_charts AND l.organisation = kernel.current_organisation()
$$;
REVOKE ALL ON FUNCTION kernel.looks_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kernel.looks_at TO salerno_kernel;
