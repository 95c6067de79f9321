-- The ledger: leaf hashes of both logs in commit order, and the signed checkpoints over them.

-- One row per run of leaves. Positions and hashes lie end to end: 40 bytes a leaf.
CREATE TABLE kernel.ledger_batches (
    log           text NOT NULL CHECK (log IN ('events', 'access')),
    first         bigint NOT NULL,             -- index of the first leaf
    leaves        integer NOT NULL CHECK (leaves > 0),
    positions     bigint[] NOT NULL,
    hashes        bytea NOT NULL,
    tiles         bytea NOT NULL,              -- roots of the runs of 256 leaves that end in this batch
    frontier      bytea NOT NULL,              -- right edge of the tree after it
    low_position  bigint NOT NULL,
    high_position bigint NOT NULL,
    last_xid      xid8 NOT NULL,               -- place in commit order of the last leaf
    last_position bigint NOT NULL,
    above         bigint NOT NULL DEFAULT 0,   -- of the epoch that this batch belongs to
    sealed_at     timestamptz NOT NULL,
    PRIMARY KEY (log, first)
);
CREATE INDEX ledger_batches_by_position ON kernel.ledger_batches (log, high_position, low_position);

-- A restored dump keeps its rows' transaction numbers while the server's counter starts again: the commit order
-- of what is written from then on is told only among positions above the last one that was there.
CREATE TABLE kernel.ledger_epochs (
    log           text NOT NULL CHECK (log IN ('events', 'access')),
    first         bigint NOT NULL,             -- index of the first leaf that it may have
    above         bigint NOT NULL,
    made_at       timestamptz NOT NULL,
    PRIMARY KEY (log, first)
);

CREATE TABLE kernel.ledger_checkpoints (
    log       text NOT NULL CHECK (log IN ('events', 'access')),
    size      bigint NOT NULL,
    root      bytea NOT NULL,
    note      text NOT NULL,                   -- C2SP signed note
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (log, size)
);

CREATE TRIGGER ledger_batches_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kernel.ledger_batches
    FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change();
CREATE TRIGGER ledger_checkpoints_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kernel.ledger_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change();
CREATE TRIGGER ledger_epochs_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kernel.ledger_epochs
    FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change();

GRANT USAGE ON SCHEMA kernel TO salerno_ledger;
GRANT SELECT ON kernel.event_store, kernel.access_log, kernel.streams TO salerno_ledger;
GRANT SELECT, INSERT ON kernel.ledger_batches, kernel.ledger_epochs, kernel.ledger_checkpoints TO salerno_ledger;
CREATE POLICY seals_every_organisation ON kernel.event_store FOR SELECT TO salerno_ledger USING (true);
CREATE POLICY seals_every_organisation ON kernel.access_log FOR SELECT TO salerno_ledger USING (true);
CREATE POLICY seals_every_organisation ON kernel.streams FOR SELECT TO salerno_ledger USING (true);
