-- Who follows the access log, and how far each of them has come. Not among the log's own readers: these count
-- positions of another table.
CREATE TABLE kernel.access_followers (
    reader       text PRIMARY KEY,
    xid          xid8 NOT NULL DEFAULT pg_snapshot_xmin(pg_current_snapshot()),  -- from now on
    position     bigint NOT NULL DEFAULT 0,
    updated_at   timestamptz
);
GRANT SELECT, UPDATE ON kernel.access_followers TO salerno_reader;
GRANT SELECT ON kernel.access_log TO salerno_reader;
CREATE POLICY reads_every_organisation ON kernel.access_log FOR SELECT TO salerno_reader USING (true);
