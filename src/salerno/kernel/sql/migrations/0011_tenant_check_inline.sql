-- The tenant check stands in every policy and is asked for every row written. With a SET clause the planner cannot
-- write the function out where it is used, and each call costs three microseconds more. The body needs none: it was
-- parsed when it was made, and no search path changes afterwards what its names mean.
CREATE OR REPLACE FUNCTION kernel.current_organisation() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('salerno.organisation', true), '')::uuid;
