-- Letters that wait to be sent, sealed under the account's key, and the links in them, of which only hashes are kept.
-- They belong to the installation's one postman and are looked up before an organisation is known.
CREATE TABLE letters (
    id           uuid PRIMARY KEY,
    home         uuid NOT NULL,
    account      uuid NOT NULL,
    kind         text NOT NULL,
    written_at   timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    until        timestamptz NOT NULL,    -- afterwards nobody wants it any more
    tries        integer NOT NULL DEFAULT 0,
    failed_at    timestamptz,
    cause        text NOT NULL DEFAULT '',
    doc          bytea NOT NULL           -- to whom and what, sealed
);
CREATE INDEX letters_by_turn ON letters (due_at) WHERE failed_at IS NULL;
CREATE INDEX letters_of_account ON letters (account);

CREATE TABLE links (
    hash         bytea PRIMARY KEY,
    kind         text NOT NULL,
    home         uuid NOT NULL,
    account      uuid NOT NULL,
    outcome      text NOT NULL DEFAULT '', -- what the account is once its address is confirmed
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX links_of_account ON links (account);
