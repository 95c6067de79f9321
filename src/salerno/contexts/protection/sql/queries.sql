-- name: restricted
SELECT subject, named_only, accounts FROM restrictions WHERE organisation = $1 AND active;

-- name: open_glasses
SELECT id, subject, account, reason, until FROM glasses WHERE organisation = $1 AND until > $2;

-- name: read_together
-- Every chart with those that are read with it after merges, in either direction.
WITH RECURSIVE together AS (
    SELECT p AS root, p AS chart FROM unnest($2::uuid[]) AS p
    UNION
    SELECT t.root, CASE WHEN m.patient = t.chart THEN m.into_patient ELSE m.patient END
    FROM together t JOIN merged_charts m
      ON m.organisation = $1 AND (m.patient = t.chart OR m.into_patient = t.chart)
)
SELECT root, chart FROM together WHERE chart <> root;

-- name: carers
-- The accounts that have, or had since $3, to do with these charts.
SELECT c.subject, c.practitioner AS account
FROM unnest($2::uuid[]) AS p JOIN care c ON c.organisation = $1 AND c.subject = p AND c.active AND c.at >= $3
UNION
SELECT c.subject, a.id
FROM unnest($2::uuid[]) AS p JOIN care c ON c.organisation = $1 AND c.subject = p AND c.active AND c.at >= $3
JOIN accounts a ON a.organisation = $1 AND a.staff = c.practitioner;

-- name: cared_for_by
-- The charts that this account has, or had since $3, to do with.
SELECT DISTINCT c.subject FROM care c
WHERE c.organisation = $1 AND c.active AND c.at >= $3 AND c.practitioner = ANY(ARRAY(
    SELECT $2::uuid UNION SELECT a.staff FROM accounts a WHERE a.organisation = $1 AND a.id = $2 AND a.staff IS NOT NULL));

-- name: seen_where_works
-- Who is, or was since $3, expected or seen where this account works.
SELECT DISTINCT c.subject FROM care c
WHERE c.organisation = $1 AND c.active AND c.at >= $3 AND c.location = ANY(ARRAY(
    SELECT w.location FROM accounts a JOIN workplaces w ON w.organisation = $1 AND w.staff = a.staff
    WHERE a.organisation = $1 AND a.id = $2));

-- name: merges
SELECT patient, into_patient FROM merged_charts WHERE organisation = $1;

-- name: seen_at
-- Where these patients are, or were since $3, expected or seen.
SELECT DISTINCT c.subject, c.location
FROM unnest($2::uuid[]) AS p JOIN care c ON c.organisation = $1 AND c.subject = p AND c.active AND c.at >= $3
WHERE c.location IS NOT NULL;

-- name: workplaces_of
SELECT w.location FROM accounts a JOIN workplaces w ON w.organisation = $1 AND w.staff = a.staff
WHERE a.organisation = $1 AND a.id = $2;

-- name: known_accounts
SELECT id FROM accounts WHERE organisation = $1 AND id = ANY($2::uuid[]);

-- name: known_patient
SELECT id FROM people WHERE organisation = $1 AND id = $2;

-- name: patients_with_number
SELECT subject FROM numbers WHERE organisation = $1 AND token = $2 ORDER BY subject LIMIT 2;

-- name: glass_open_to
SELECT id, until FROM glasses WHERE organisation = $1 AND subject = $2 AND account = $3 AND until > $4
ORDER BY until DESC LIMIT 1;

-- name: page_of_restrictions
SELECT id, subject, version, recorded_at, doc FROM restrictions WHERE organisation = $1 AND active
ORDER BY recorded_at DESC, id LIMIT $2 OFFSET $3;

-- name: count_restrictions
SELECT count(*) FROM restrictions WHERE organisation = $1 AND active;

-- name: page_of_glasses
SELECT id, subject, version, recorded_at, doc FROM glasses
WHERE organisation = $1 AND ($2::boolean IS NULL OR reviewed = $2) ORDER BY broken_at DESC, id LIMIT $3 OFFSET $4;

-- name: count_glasses
SELECT count(*) FROM glasses WHERE organisation = $1 AND ($2::boolean IS NULL OR reviewed = $2);

-- name: count_to_review
SELECT count(*) FROM glasses WHERE organisation = $1 AND NOT reviewed AND account <> $2;

-- name: people
SELECT id, subject, doc FROM people WHERE organisation = $1 AND id = ANY($2::uuid[]);

-- name: keep_people
INSERT INTO people (organisation, id, subject, doc)
SELECT $1, p.id, p.id, p.doc FROM unnest($2::uuid[], $3::bytea[]) AS p(id, doc)
ON CONFLICT (organisation, id) DO UPDATE SET doc = excluded.doc;

-- name: forget_numbers
DELETE FROM numbers WHERE organisation = $1 AND subject = ANY($2::uuid[]);

-- name: keep_numbers
INSERT INTO numbers (organisation, token, subject)
SELECT $1, n.token, n.patient FROM unnest($2::uuid[], $3::bigint[]) AS n(patient, token)
ON CONFLICT DO NOTHING;

-- name: remember_merge
INSERT INTO merged_charts (organisation, patient, into_patient) VALUES ($1, $2, $3)
ON CONFLICT (organisation, patient) DO UPDATE SET into_patient = excluded.into_patient;

-- name: forget_merge
DELETE FROM merged_charts WHERE organisation = $1 AND patient = $2;

-- name: keep_care
INSERT INTO care (organisation, id, subject, practitioner, location, at, active) VALUES ($1, $2, $3, $4, $5, $6, true)
ON CONFLICT (organisation, id) DO UPDATE SET practitioner = excluded.practitioner, location = excluded.location,
    at = excluded.at, active = true;

-- name: care_until
UPDATE care SET at = greatest(at, $3) WHERE organisation = $1 AND id = $2;

-- name: set_care
UPDATE care SET active = $3 WHERE organisation = $1 AND id = $2;

-- name: keep_account
INSERT INTO accounts (organisation, id, staff) VALUES ($1, $2, $3)
ON CONFLICT (organisation, id) DO UPDATE SET staff = excluded.staff;

-- name: keep_workplace
INSERT INTO workplaces (organisation, staff, location) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: leave_workplace
DELETE FROM workplaces WHERE organisation = $1 AND staff = $2 AND location = $3;
