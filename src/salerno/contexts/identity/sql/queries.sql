-- name: accounts_of
SELECT id, subject, version, recorded_at, doc FROM accounts
WHERE organisation = $1 AND ($2::text IS NULL OR role = $2) AND ($3::text IS NULL OR status = $3);

-- name: lock_account
SELECT true FROM accounts WHERE organisation = $1 AND id = $2 FOR UPDATE;

-- name: put_credential
INSERT INTO credentials (organisation, id, subject, doc, changed_at) VALUES ($1, $2, $2, $3, $4)
ON CONFLICT (organisation, id) DO UPDATE SET doc = excluded.doc, changed_at = excluded.changed_at;

-- name: credential
SELECT id, subject, doc FROM credentials WHERE organisation = $1 AND id = $2;

-- name: drop_credential
DELETE FROM credentials WHERE organisation = $1 AND id = $2;

-- name: begin_factor
INSERT INTO factors (organisation, id, subject, doc, begun_at) VALUES ($1, $2, $2, $3, $4)
ON CONFLICT (organisation, id) DO UPDATE
SET doc = excluded.doc, begun_at = excluded.begun_at, last_step = 0 WHERE NOT factors.confirmed
RETURNING true;

-- name: lock_factor
SELECT id, subject, doc, last_step, confirmed, begun_at FROM factors WHERE organisation = $1 AND id = $2 FOR UPDATE;

-- name: use_step
UPDATE factors SET last_step = $3, confirmed = true WHERE organisation = $1 AND id = $2;

-- name: drop_factor
DELETE FROM factors WHERE organisation = $1 AND id = $2;

-- name: drop_recovery_codes
DELETE FROM recovery_codes WHERE organisation = $1 AND account = $2;

-- name: put_recovery_code
INSERT INTO recovery_codes (organisation, account, hash) VALUES ($1, $2, $3);

-- name: use_recovery_code
UPDATE recovery_codes SET used_at = $4 WHERE organisation = $1 AND account = $2 AND hash = $3 AND used_at IS NULL
RETURNING true;

-- name: recovery_codes_left
SELECT count(*) FROM recovery_codes WHERE organisation = $1 AND account = $2 AND used_at IS NULL;

-- name: put_passkey
INSERT INTO passkeys (organisation, id, subject, doc, uses, added_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: put_passkey_name
INSERT INTO passkey_names (hash, home, account, passkey) VALUES ($1, $2, $3, $4);

-- name: passkey_by_name
SELECT home, account, passkey FROM passkey_names WHERE hash = $1;

-- name: lock_passkey
SELECT id, subject, doc, uses FROM passkeys WHERE organisation = $1 AND id = $2 FOR UPDATE;

-- name: use_passkey
UPDATE passkeys SET uses = $3, used_at = $4 WHERE organisation = $1 AND id = $2;

-- name: passkeys_of
SELECT id, subject, doc, added_at, used_at FROM passkeys WHERE organisation = $1 AND subject = $2 ORDER BY added_at, id;

-- name: drop_passkey
DELETE FROM passkeys WHERE organisation = $1 AND id = $2;

-- name: drop_passkey_name
DELETE FROM passkey_names WHERE passkey = $1;

-- name: put_ceremony
INSERT INTO ceremonies (hash, kind, account, session, expires_at) VALUES ($1, $2, $3, $4, $5);

-- name: end_ceremony
DELETE FROM ceremonies WHERE hash = $1 AND kind = $2 AND expires_at > $3 RETURNING account, session;

-- name: forget_old_ceremonies
DELETE FROM ceremonies WHERE expires_at < $1;

-- name: prove_session
UPDATE sessions SET proved_at = CASE WHEN $4 THEN $3 ELSE proved_at END, locked_at = NULL, seen_at = $3
WHERE id = $1 AND account = $2 AND ended_at IS NULL RETURNING true;

-- name: session_shown
SELECT shown FROM sessions WHERE id = $1 FOR UPDATE;

-- name: show_in_session
UPDATE sessions SET shown = $2 WHERE id = $1;

-- name: lock_session
UPDATE sessions SET locked_at = coalesce(locked_at, $3) WHERE id = $1 AND account = $2 AND ended_at IS NULL
RETURNING true;

-- name: put_signing_key
INSERT INTO signing_keys (organisation, id, subject, doc, made_at) VALUES ($1, $2, $1, $3, $4);

-- name: signing_keys
SELECT id, subject, doc, made_at FROM signing_keys WHERE organisation = $1 AND made_at > $2 ORDER BY made_at;

-- name: take_assertion
INSERT INTO assertions (client, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true;

-- name: put_authorization
INSERT INTO authorizations (hash, id, subject, doc, client, pushed, asked_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: authorization
SELECT id, subject, doc, client, asked_at FROM authorizations WHERE hash = $1 AND NOT pushed AND expires_at > $2;

-- name: take_pushed
DELETE FROM authorizations WHERE hash = $1 AND pushed AND client = $3 AND expires_at > $2
RETURNING id, subject, doc, asked_at;

-- name: drop_authorization
DELETE FROM authorizations WHERE hash = $1 RETURNING true;

-- name: put_code
INSERT INTO codes (hash, id, subject, doc, client, expires_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: lock_code
SELECT id, subject, doc, client, expires_at, used_at, granted FROM codes WHERE hash = $1 FOR UPDATE;

-- name: spend_code
UPDATE codes SET used_at = $2, granted = $3 WHERE hash = $1;

-- name: put_grant
INSERT INTO grants
    (session, parent, client, home, account, scope, audience, patient, encounter, auth_time, factor, shown)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: grant
SELECT g.session, g.parent, g.client, g.home, g.account, g.scope, g.audience, g.patient, g.encounter, g.auth_time,
    g.factor, g.shown, s.acting, s.opened_at, s.expires_at, s.ended_at, p.ended_at AS parent_ended_at
FROM grants g JOIN sessions s ON s.id = g.session LEFT JOIN sessions p ON p.id = g.parent WHERE g.session = $1;

-- name: end_grant
UPDATE sessions SET ended_at = $2 FROM grants
WHERE sessions.id = $1 AND grants.session = sessions.id AND sessions.ended_at IS NULL
RETURNING grants.home, grants.account;

-- name: move_grants
UPDATE grants SET parent = $2 FROM sessions
WHERE sessions.token_hash = $1 AND sessions.account = $3 AND sessions.ended_at IS NULL AND grants.parent = sessions.id;

-- name: put_next_refresh_token
INSERT INTO refresh_tokens (hash, session, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at;

-- name: is_unspent
SELECT true FROM refresh_tokens WHERE hash = $1 AND spent_at IS NULL;

-- name: prolong_grant
UPDATE sessions SET expires_at = least(greatest(expires_at, $2), opened_at + $3::interval)
WHERE id = $1 AND ended_at IS NULL;

-- name: lives
SELECT true FROM sessions WHERE id = $1 AND ended_at IS NULL;

-- name: session_for_provider
SELECT opened_at, factor, kind, shown, acting FROM sessions WHERE id = $1 AND account = $2 AND ended_at IS NULL;

-- name: consent
SELECT scope FROM consents WHERE account = $1 AND client = $2;

-- name: consents
SELECT client, scope FROM consents WHERE account = $1 ORDER BY given_at;

-- name: put_consent
INSERT INTO consents (account, client, scope, given_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (account, client) DO UPDATE SET scope = excluded.scope, given_at = excluded.given_at;

-- name: drop_consent
DELETE FROM consents WHERE account = $1 AND client = $2 RETURNING true;

-- name: put_device_code
INSERT INTO device_codes (hash, user_hash, client, scope, expires_at, polled_at, seconds)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: lock_device_code
SELECT client, scope, expires_at, polled_at, seconds, allowed, home, account, parent FROM device_codes
WHERE hash = $1 FOR UPDATE;

-- name: poll_device_code
UPDATE device_codes SET polled_at = $2, seconds = $3 WHERE hash = $1;

-- name: drop_device_code
DELETE FROM device_codes WHERE hash = $1;

-- name: device_by_user_code
SELECT client, scope FROM device_codes WHERE user_hash = $1 AND expires_at > $2 AND allowed IS NULL;

-- name: answer_device
UPDATE device_codes SET allowed = $3, home = $4, account = $5, parent = $6
WHERE user_hash = $1 AND expires_at > $2 AND allowed IS NULL RETURNING client, scope;

-- name: put_launch
INSERT INTO launches (hash, client, account, patient, encounter, expires_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: launch
SELECT patient, encounter FROM launches WHERE hash = $1 AND client = $2 AND account = $3 AND expires_at > $4;

-- name: follow_parents
UPDATE sessions SET ended_at = $1 FROM grants, sessions AS parents
WHERE grants.session = sessions.id AND parents.id = grants.parent AND parents.ended_at IS NOT NULL
    AND sessions.ended_at IS NULL;

-- name: gather_logouts
INSERT INTO logouts (session, parent, client, home, account, due_at)
SELECT DISTINCT ON (grants.parent, grants.client)
    grants.session, grants.parent, grants.client, grants.home, grants.account, $1::timestamptz
FROM grants JOIN sessions AS parents ON parents.id = grants.parent
WHERE grants.account IS NOT NULL AND parents.ended_at > $2
ORDER BY grants.parent, grants.client, grants.session
ON CONFLICT DO NOTHING;

-- name: take_logout
UPDATE logouts SET tries = tries + 1, due_at = $2 WHERE session = (
    SELECT session FROM logouts WHERE due_at <= $1 AND tries < $3 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING session, parent, client, home, account, tries;

-- name: logout_told
UPDATE logouts SET due_at = 'infinity' WHERE session = $1;

-- name: forget_provider_rows
WITH a AS (DELETE FROM assertions WHERE expires_at < $1),
    b AS (DELETE FROM authorizations WHERE expires_at < $1),
    c AS (DELETE FROM codes WHERE expires_at < $2),
    d AS (DELETE FROM device_codes WHERE expires_at < $2),
    e AS (DELETE FROM launches WHERE expires_at < $1)
DELETE FROM logouts WHERE due_at < $2 OR (due_at = 'infinity' AND session NOT IN (SELECT id FROM sessions));

-- name: take_address
-- Free, or kept for a former owner until then, or one's own of before.
INSERT INTO logins (token, home, account) VALUES ($1, $2, $3)
ON CONFLICT (token) DO UPDATE SET home = excluded.home, account = excluded.account, former_until = NULL
WHERE logins.former_until <= $4 OR logins.account = excluded.account AND logins.former_until IS NOT NULL
RETURNING true;

-- name: login
SELECT home, account FROM logins WHERE token = $1 AND former_until IS NULL;

-- name: address_taken
-- By another account than this, also where it is only kept for its former owner.
SELECT true FROM logins WHERE token = $1 AND (former_until IS NULL OR former_until > $2 AND account <> $3);

-- name: leave_address
UPDATE logins SET former_until = $3 WHERE token = $1 AND account = $2;

-- name: drop_later_addresses
-- Those that the account was given after this one, which is its own still or was.
DELETE FROM logins AS later USING logins AS this
WHERE this.token = $2 AND this.account = $1 AND later.account = $1 AND later.token <> $2
    AND (later.former_until IS NULL OR later.former_until > this.former_until);

-- name: take_address_back
INSERT INTO logins (token, home, account) VALUES ($1, $2, $3)
ON CONFLICT (token) DO UPDATE SET former_until = NULL WHERE logins.account = excluded.account
RETURNING true;

-- name: forget_former_addresses
DELETE FROM logins WHERE former_until <= $1;

-- name: put_email_change
INSERT INTO email_changes (organisation, id, subject, doc, asked_at) VALUES ($1, $2, $3, $4, $5);

-- name: email_change
SELECT id, subject, doc FROM email_changes WHERE organisation = $1 AND id = $2;

-- name: void_email_changes
-- The links of this change and of all later ones: their outcome is an id, and ids are in the order of time.
DELETE FROM links WHERE account = $1 AND kind IN ('email-change', 'email-revoke') AND outcome >= $2;

-- name: forget_email_changes
DELETE FROM email_changes WHERE organisation = $1 AND subject = $2 AND asked_at < $3;

-- name: home_of
SELECT home FROM logins WHERE account = $1;

-- name: put_session
INSERT INTO sessions (id, home, account, kind, token_hash, csrf, factor, opened_at, seen_at, expires_at, doc, shown)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11);

-- name: session_by_token
SELECT id, home, account, kind, csrf, factor, seen_at, expires_at, opened_at, proved_at, locked_at, acting, vouched
FROM sessions
WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > $2 AND seen_at > $3;

-- name: session_by_id
SELECT id, home, account, kind, csrf, factor, seen_at, expires_at, opened_at, proved_at, locked_at, acting, vouched
FROM sessions
WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 AND (kind <> 'web' OR seen_at > $3);

-- name: sessions_of_account
SELECT id, account AS subject, kind, opened_at, seen_at, doc FROM sessions
WHERE account = $1 AND ended_at IS NULL AND expires_at > $2 AND (kind <> 'web' OR seen_at > $3)
ORDER BY opened_at DESC, id DESC;

-- name: see_session
UPDATE sessions SET seen_at = $2 WHERE id = $1 AND ended_at IS NULL;

-- name: rotate_session
UPDATE sessions SET token_hash = $3, csrf = $4, factor = factor OR $5, seen_at = $6
WHERE id = $1 AND account = $2 AND kind = 'web' AND ended_at IS NULL RETURNING true;

-- name: end_session
UPDATE sessions SET ended_at = $3 WHERE id = $1 AND account = $2 AND ended_at IS NULL RETURNING true;

-- name: end_session_by_token
UPDATE sessions SET ended_at = $2 WHERE token_hash = $1 AND ended_at IS NULL;

-- name: end_sessions
UPDATE sessions SET ended_at = $3 WHERE account = $1 AND ended_at IS NULL AND ($2::uuid IS NULL OR id <> $2);

-- name: forget_devices
DELETE FROM devices WHERE account = $1;

-- name: forget_challenges
DELETE FROM challenges WHERE account = $1;

-- name: forget_old_sessions
DELETE FROM sessions WHERE expires_at < $1 OR ended_at < $1;

-- name: forget_old_challenges
DELETE FROM challenges WHERE expires_at < $1;

-- name: forget_old_attempts
DELETE FROM attempts WHERE since < $1 AND in_a_row < 10;

-- name: put_refresh_token
INSERT INTO refresh_tokens (hash, session, expires_at) VALUES ($1, $2, $3);

-- name: lock_refresh_token
SELECT r.session, r.expires_at, r.spent_at, s.home, s.account, s.kind, s.ended_at, s.factor
FROM refresh_tokens r JOIN sessions s ON s.id = r.session WHERE r.hash = $1 FOR UPDATE OF r;

-- name: home_of_refresh_token
SELECT s.home FROM refresh_tokens r JOIN sessions s ON s.id = r.session WHERE r.hash = $1;

-- name: prolong_session
UPDATE sessions SET expires_at = greatest(expires_at, $2) WHERE id = $1 AND kind <> 'web' AND ended_at IS NULL;

-- name: spend_refresh_token
UPDATE refresh_tokens SET spent_at = $2 WHERE hash = $1 AND spent_at IS NULL;

-- name: put_challenge
INSERT INTO challenges (hash, home, account, kind, expires_at, provider, shown, provider_session)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: try_challenge
UPDATE challenges SET tries = tries + 1 WHERE hash = $1 AND tries < $2 AND expires_at > $3
RETURNING home, account, kind, provider, shown, provider_session;

-- name: end_challenge
DELETE FROM challenges WHERE hash = $1 RETURNING true;

-- name: count_attempt
INSERT INTO attempts AS a (kind, token, since, failures, in_a_row) VALUES ($1, $2, $3, 1, 1)
ON CONFLICT (kind, token) DO UPDATE SET
    since = CASE WHEN a.since <= $4 THEN $3 ELSE a.since END,
    failures = CASE WHEN a.since <= $4 THEN 1 WHEN a.failures > $5 THEN a.failures ELSE a.failures + 1 END,
    in_a_row = CASE WHEN a.since > $4 AND a.failures >= $5 THEN a.in_a_row ELSE a.in_a_row + 1 END
RETURNING failures, in_a_row, since;

-- name: clear_attempts
DELETE FROM attempts WHERE kind = $1 AND token = $2;

-- name: unlock
DELETE FROM attempts WHERE token IN (SELECT token FROM logins WHERE account = $1) AND kind IN ('account', 'factor');

-- name: put_device
INSERT INTO devices (hash, account, seen_at) VALUES ($1, $2, $3)
ON CONFLICT (hash, account) DO UPDATE SET seen_at = excluded.seen_at;

-- name: is_any_device
SELECT true FROM devices WHERE hash = $1 LIMIT 1;

-- name: is_known_device
SELECT true FROM devices WHERE hash = $1 AND account = $2 AND seen_at > $3;

-- name: void_chart_codes
DELETE FROM chart_codes WHERE home = $1 AND patient = $2;

-- name: put_chart_code
INSERT INTO chart_codes (hash, id, home, patient, expires_at) VALUES ($1, $2, $3, $4, $5);

-- name: chart_code
SELECT home, patient FROM chart_codes WHERE hash = $1 AND used_at IS NULL AND expires_at > $2;

-- name: use_chart_code
UPDATE chart_codes SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING home, patient;

-- name: chart_owner
SELECT account FROM chart_links WHERE organisation = $1 AND patient = $2;

-- name: link_chart
INSERT INTO chart_links (organisation, patient, account) VALUES ($1, $2, $3);

-- name: keep_home
INSERT INTO homes (home, registered_at, kind, doc, subject) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (home) DO UPDATE SET kind = excluded.kind, doc = excluded.doc, subject = excluded.subject;

-- name: name_of_home
SELECT home AS id, subject, doc FROM homes WHERE home = $1;

-- name: put_workplace
INSERT INTO workplaces (account, organisation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: workplaces_of
SELECT organisation_id FROM workplaces WHERE account = $1 ORDER BY organisation_id;

-- name: members_of
SELECT id, subject, version, recorded_at, doc FROM members
WHERE organisation = $1 AND status <> 'ended' AND ($2::text IS NULL OR role = $2) AND ($3::text IS NULL OR status = $3);

-- name: act_in
UPDATE sessions SET acting = $3 WHERE id = $1 AND account = $2 AND ended_at IS NULL;

-- name: act_here_no_longer
UPDATE sessions SET ended_at = $3 WHERE account = $1 AND acting = $2 AND ended_at IS NULL;

-- name: kind_of_home
SELECT kind FROM homes WHERE home = $1;

-- name: homes
SELECT home FROM homes ORDER BY registered_at, home LIMIT 2;

-- name: is_home
SELECT true FROM homes WHERE home = $1;

-- name: keep_choices
INSERT INTO choices (organisation, factor_roles, idle_default, idle_roles, idle_minutes, zone, password_demanded)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organisation) DO UPDATE SET factor_roles = excluded.factor_roles, idle_default = excluded.idle_default,
    idle_roles = excluded.idle_roles, idle_minutes = excluded.idle_minutes, zone = excluded.zone,
    password_demanded = excluded.password_demanded;

-- name: choices
SELECT factor_roles, idle_default, idle_roles, idle_minutes, zone, password_demanded FROM choices WHERE organisation = $1;

-- name: put_founder
INSERT INTO founders (home, account, asked_at) VALUES ($1, $2, $3);

-- name: founders
SELECT home, account, asked_at FROM founders ORDER BY asked_at, home;

-- name: is_founder
SELECT true FROM founders WHERE home = $1 AND account = $2;

-- name: put_letter
INSERT INTO letters (id, home, account, kind, written_at, due_at, until, doc) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
ON CONFLICT (id) DO NOTHING;

-- name: take_letter
UPDATE letters SET tries = tries + 1, due_at = $2 WHERE id = (
    SELECT id FROM letters WHERE failed_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, home, account AS subject, kind, written_at, until, tries, doc;

-- name: letter_sent
DELETE FROM letters WHERE id = $1;

-- name: letter_later
UPDATE letters SET due_at = $2, cause = $3 WHERE id = $1;

-- name: letter_failed
-- It is kept sealed for as long as somebody waits for it: the cause may be mended.
UPDATE letters SET failed_at = $2, cause = $3, doc = CASE WHEN until > $2 THEN doc ELSE '' END WHERE id = $1;

-- name: empty_letters_over
UPDATE letters SET doc = '' WHERE failed_at IS NOT NULL AND until <= $1 AND doc <> '';

-- name: letters
SELECT id, home, account AS subject, kind, written_at, due_at, until, tries, failed_at, cause, doc FROM letters
WHERE NOT $1 OR failed_at IS NOT NULL ORDER BY written_at, id LIMIT $2;

-- name: letter
SELECT true FROM letters WHERE id = $1;

-- name: letters_again
UPDATE letters SET failed_at = NULL, due_at = $2, cause = '', tries = 0
WHERE (id = $1 OR $1::uuid IS NULL AND failed_at IS NOT NULL) AND until > $2 AND doc <> ''
RETURNING home, account;

-- name: drop_letter
DELETE FROM letters WHERE id = $1 RETURNING home, account;

-- name: forget_old_letters
DELETE FROM letters WHERE failed_at < $1;

-- name: put_link
INSERT INTO links (hash, kind, home, account, outcome, expires_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: void_links
DELETE FROM links WHERE account = $1 AND kind = ANY($2::text[]);

-- name: link
SELECT home, account, outcome FROM links WHERE hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3;

-- name: use_link
UPDATE links SET used_at = $3 WHERE hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3
RETURNING home, account, outcome;

-- name: forget_old_links
DELETE FROM links WHERE expires_at < $1;

-- name: clients_of
SELECT id, subject, version, recorded_at, doc FROM clients
WHERE organisation = $1 AND ($2::text IS NULL OR status = $2);

-- name: count_waiting_clients
SELECT count(*) FROM clients WHERE organisation = $1 AND status = 'pending' AND recorded_at > $2;

-- name: put_client_home
INSERT INTO client_homes (client, home) VALUES ($1, $2);

-- name: client_home
SELECT home FROM client_homes WHERE client = $1;

-- name: put_client_secret
INSERT INTO client_secrets (client, hash, made_at) VALUES ($1, $2, $3)
ON CONFLICT (client) DO UPDATE SET hash = excluded.hash, made_at = excluded.made_at;

-- name: client_secret
SELECT hash FROM client_secrets WHERE client = $1;

-- name: drop_client_secret
DELETE FROM client_secrets WHERE client = $1;

-- name: end_grants_of_client
UPDATE sessions SET ended_at = $3 FROM grants
WHERE grants.session = sessions.id AND grants.client = $1 AND sessions.ended_at IS NULL
    AND ($2::uuid IS NULL OR grants.account = $2);

-- name: sign_ins_of
-- From the account's own history, the newest first.
SELECT position, xid::text AS xid, event_id, aggregate_type, aggregate_id, event_type, event_data, metadata,
       version, hospital_id, user_id, "timestamp", subject_id
FROM kernel.event_store
WHERE hospital_id = $1 AND aggregate_type = 'identity.account' AND aggregate_id = $2 AND event_type = ANY($3::text[])
ORDER BY event_store.version DESC LIMIT $4 OFFSET $5;

-- name: count_sign_ins_of
SELECT count(*) FROM kernel.event_store
WHERE hospital_id = $1 AND aggregate_type = 'identity.account' AND aggregate_id = $2 AND event_type = ANY($3::text[]);

-- name: made_roles_of
SELECT id, subject, version, recorded_at, doc FROM made_roles
WHERE organisation = $1 AND ($2::text IS NULL OR status = $2);

-- name: put_role_name
INSERT INTO role_names (organisation, name, role) VALUES ($1, $2, $3);

-- name: put_departure
WITH old AS (DELETE FROM departures WHERE expires_at < $8)
INSERT INTO departures (hash, provider, purpose, account, session, link, begun_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $8, $7);

-- name: end_departure
DELETE FROM departures WHERE hash = $1 AND provider = $2 AND expires_at > $3
RETURNING purpose, account, session, link, begun_at;

-- name: external_identity
SELECT home, account, identity FROM external_names WHERE token = $1;

-- name: put_external_name
INSERT INTO external_names (token, home, account, identity) VALUES ($1, $2, $3, $4);

-- name: put_external_identity
INSERT INTO external_identities (organisation, id, subject, provider, doc, linked_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: external_identities_of
SELECT id, subject, provider, linked_at, used_at, doc FROM external_identities
WHERE organisation = $1 AND subject = $2 ORDER BY linked_at, id;

-- name: kept_external_identity
SELECT id, subject, doc FROM external_identities WHERE organisation = $1 AND id = $2;

-- name: use_external_identity
UPDATE external_identities SET used_at = $3 WHERE organisation = $1 AND id = $2 RETURNING id, subject, doc;

-- name: drop_external_identity
DELETE FROM external_identities WHERE organisation = $1 AND id = $2 AND subject = $3 RETURNING provider;

-- name: drop_external_name
DELETE FROM external_names WHERE identity = $1;

-- name: provider_of_session
SELECT provider FROM sessions WHERE id = $1 AND account = $2;

-- name: vouch_for_session
UPDATE sessions SET provider = $2, vouched = $3, provider_session = $4 WHERE id = $1;

-- name: sessions_by_provider_session
SELECT id, home, account, ended_at FROM sessions WHERE provider = $1 AND provider_session = $2;

-- name: forget_challenges_by_provider
DELETE FROM challenges WHERE provider = $1 AND (provider_session = $2 OR ($2 IS NULL AND account = $3));

-- name: sessions_of_account_by_provider
SELECT id, home, account, ended_at FROM sessions WHERE provider = $1 AND account = $2;

-- name: inherit_vouching
UPDATE sessions SET vouched = parents.vouched FROM sessions AS parents
WHERE sessions.id = $1 AND parents.id = $2 AND parents.vouched;
