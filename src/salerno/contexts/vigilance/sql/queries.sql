-- name: alerts
-- Without patients' own sign-ins, which are theirs alone to see.
SELECT id, subject, version, recorded_at, doc FROM alerts
WHERE organisation = $1 AND status <> 'own' AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR kind = $3)
  AND ($4::uuid IS NULL OR subject = $4)
ORDER BY at DESC, id LIMIT $5 OFFSET $6;

-- name: count_alerts
SELECT count(*) FROM alerts
WHERE organisation = $1 AND status <> 'own' AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR kind = $3)
  AND ($4::uuid IS NULL OR subject = $4);

-- name: alerts_of
SELECT id, subject, version, recorded_at, doc FROM alerts WHERE organisation = $1 AND subject = $2
ORDER BY at DESC, id LIMIT $3;

-- name: keep_reader
INSERT INTO readers (organisation, id, subject, staff, role) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organisation, id) DO UPDATE SET staff = excluded.staff,
    role = CASE excluded.role WHEN '' THEN readers.role ELSE excluded.role END;

-- name: keep_role
UPDATE readers SET role = $3 WHERE organisation = $1 AND id = $2;

-- name: readers
SELECT id, staff, role FROM readers WHERE organisation = $1 AND id = ANY($2::uuid[]);

-- name: drop_kin
DELETE FROM kin_tokens k USING unnest($2::uuid[], $3::text[]) AS d(person, reason)
WHERE k.organisation = $1 AND k.person = d.person AND k.reason = d.reason;

-- name: put_kin
INSERT INTO kin_tokens (organisation, person, reason, token, subject)
SELECT $1, k.person, k.reason, k.token, k.subject
FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::uuid[]) AS k(person, reason, token, subject)
ON CONFLICT DO NOTHING;

-- name: shared
-- What each pair of a person of staff and a patient shares.
SELECT DISTINCT pair.reader, pair.patient, own.reason
FROM unnest($2::uuid[], $3::uuid[]) AS pair(reader, patient)
JOIN kin_tokens own ON own.organisation = $1 AND own.person = pair.reader
JOIN kin_tokens theirs ON theirs.organisation = $1 AND theirs.person = pair.patient
    AND theirs.reason = own.reason AND theirs.token = own.token
UNION
-- Where a reader lives is known where they, or somebody with their telephone or e-mail address, are patients here.
SELECT DISTINCT pair.reader, pair.patient, 'address'
FROM unnest($2::uuid[], $3::uuid[]) AS pair(reader, patient)
JOIN kin_tokens own ON own.organisation = $1 AND own.person = pair.reader AND own.reason IN ('phone', 'email')
JOIN kin_tokens near ON near.organisation = $1 AND near.reason = own.reason AND near.token = own.token
    AND near.person NOT IN (pair.reader, pair.patient)
JOIN kin_tokens home ON home.organisation = $1 AND home.person = near.person AND home.reason = 'address'
JOIN kin_tokens theirs ON theirs.organisation = $1 AND theirs.person = pair.patient AND theirs.reason = 'address'
    AND theirs.token = home.token;

-- name: put_care
INSERT INTO care (organisation, patient, at, subject)
SELECT $1, c.patient, c.at, c.patient FROM unnest($2::uuid[], $3::timestamptz[]) AS c(patient, at)
ON CONFLICT DO NOTHING;

-- name: in_care
-- Which of these looks (by number) fall near something that explains them.
SELECT look.number FROM unnest($2::integer[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
    AS look(number, patient, earliest, latest)
WHERE EXISTS (SELECT FROM care c WHERE c.organisation = $1 AND c.patient = look.patient
              AND c.at >= look.earliest AND c.at <= look.latest);

-- name: hours
SELECT staff, planned FROM hours WHERE organisation = $1 AND staff = ANY($2::uuid[]);

-- name: any_hours
SELECT EXISTS (SELECT FROM hours WHERE organisation = $1);

-- name: keep_hours
INSERT INTO hours (organisation, staff, subject, planned) VALUES ($1, $2, $3, $4)
ON CONFLICT (organisation, staff) DO UPDATE SET planned = excluded.planned;

-- name: keep_practice
INSERT INTO practices (organisation, zone, country) VALUES ($1, $2, $3)
ON CONFLICT (organisation) DO UPDATE SET zone = excluded.zone, country = excluded.country;

-- name: practice
SELECT zone, country FROM practices WHERE organisation = $1;

-- name: learn_sign_in
-- Answers which of these facts are new.
INSERT INTO known_sign_ins (organisation, account, fact, token, subject)
SELECT $1, $2, k.fact, k.token, $2 FROM unnest($3::text[], $4::bigint[]) AS k(fact, token)
ON CONFLICT DO NOTHING RETURNING fact;

-- name: opened_lately
SELECT patient, at FROM opened_charts WHERE organisation = $1 AND account = $2 AND at > $3 AND at <= $4;

-- name: put_opened
INSERT INTO opened_charts (organisation, account, patient, at, subject)
SELECT $1, $2, o.patient, o.at, o.patient FROM unnest($3::uuid[], $4::timestamptz[]) AS o(patient, at)
ON CONFLICT (organisation, account, patient) DO UPDATE SET at = greatest(opened_charts.at, excluded.at);

-- name: forget_opened
DELETE FROM opened_charts WHERE organisation = $1 AND account = $2 AND (at < $3 OR patient = ANY($4::uuid[]));

-- name: tried_lately
SELECT number, at FROM tried_charts WHERE organisation = $1 AND account = $2 AND at > $3 AND at <= $4;

-- name: put_tried
INSERT INTO tried_charts (organisation, account, number, at, subject)
SELECT $1, $2, t.number, t.at, $2 FROM unnest($3::bigint[], $4::timestamptz[]) AS t(number, at)
ON CONFLICT DO NOTHING;

-- name: forget_tried
DELETE FROM tried_charts WHERE organisation = $1 AND account = $2 AND at < $3;

-- name: last_sign_in
SELECT id, subject, doc FROM last_sign_ins WHERE organisation = $1 AND id = $2;

-- name: keep_last_sign_in
INSERT INTO last_sign_ins (organisation, id, subject, doc) VALUES ($1, $2, $2, $3)
ON CONFLICT (organisation, id) DO UPDATE SET doc = excluded.doc;

-- name: silence
SELECT until FROM silences WHERE organisation = $1 AND account = $2 AND kind = $3 AND about = $4;

-- name: keep_silence
INSERT INTO silences (organisation, account, kind, about, until, subject) VALUES ($1, $2, $3, $4, $5, $2)
ON CONFLICT (organisation, account, kind, about) DO UPDATE SET until = excluded.until;

-- name: forget_silences
DELETE FROM silences WHERE organisation = $1 AND account = $2 AND until < $3;
