-- Charts that an account tried in vain in the last minutes, by the line of the access log. Forgotten as they pass.
CREATE TABLE tried_charts (
    organisation uuid NOT NULL,
    account      uuid NOT NULL,
    number       bigint NOT NULL,
    at           timestamptz NOT NULL,
    subject      uuid NOT NULL,
    PRIMARY KEY (organisation, account, number)
);

-- Where each account was signed in to last. Never rebuilt: it is what was weighed by then.
CREATE TABLE last_sign_ins (
    organisation uuid NOT NULL,
    id           uuid NOT NULL,            -- the account
    subject      uuid NOT NULL,
    doc          bytea NOT NULL,           -- country and moment, sealed
    PRIMARY KEY (organisation, id)
);

-- Who has the same telephone or e-mail address as somebody of the staff.
CREATE INDEX kin_by_token ON kin_tokens (organisation, reason, token);
