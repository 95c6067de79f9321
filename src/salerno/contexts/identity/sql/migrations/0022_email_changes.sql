-- Changes of an account's e-mail address that were asked for. Links name them; what they say is sealed.
CREATE TABLE email_changes (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,
    subject      uuid NOT NULL,          -- the account
    doc          bytea NOT NULL,         -- the address before and the one that is wished, sealed
    asked_at     timestamptz NOT NULL,
    PRIMARY KEY (organisation, id)
);
CREATE INDEX email_changes_of_account ON email_changes (organisation, subject);

-- An address that an account had is nobody else's for as long as its reader may take it back. It opens nothing.
ALTER TABLE logins ADD COLUMN former_until timestamptz;
CREATE INDEX former_logins ON logins (former_until) WHERE former_until IS NOT NULL;
ALTER TABLE logins DROP CONSTRAINT logins_account_key;
CREATE UNIQUE INDEX one_login_of_account ON logins (account) WHERE former_until IS NULL;
CREATE INDEX logins_of_account ON logins (account);
