-- name: charts_of
-- The chart itself and every chart that was merged into it.
WITH RECURSIVE charts AS (
    SELECT $2::uuid AS patient
    UNION
    SELECT m.patient FROM merged_charts m JOIN charts c ON c.patient = m.into_patient WHERE m.organisation = $1
)
SELECT array_agg(patient) FROM charts;

-- name: remember_merge
INSERT INTO merged_charts (organisation, patient, into_patient) VALUES ($1, $2, $3)
ON CONFLICT (organisation, patient) DO UPDATE SET into_patient = excluded.into_patient;

-- name: forget_merge
DELETE FROM merged_charts WHERE organisation = $1 AND patient = $2;

-- name: keep_actor
INSERT INTO actors (organisation, id, subject, doc) VALUES ($1, $2, $3, $4)
ON CONFLICT (organisation, id) DO UPDATE SET doc = excluded.doc;

-- name: actors
SELECT id, subject, doc FROM actors WHERE organisation = $1 AND id = ANY($2::uuid[]);

-- name: looks_at
-- One look is what one person was shown by one request, however many questions its page asked.
SELECT min(at) AS at, user_id, role, purpose, outcome, address, array_agg(DISTINCT category) AS categories,
       array_agg(DISTINCT action) AS actions, count(*) AS questions
FROM kernel.looks_at($1::uuid[])
GROUP BY user_id, role, purpose, outcome, address, request, CASE WHEN request = '' THEN position END
ORDER BY at DESC, user_id LIMIT $2 OFFSET $3;

-- name: count_looks_at
SELECT count(*) FROM (
    SELECT FROM kernel.looks_at($1::uuid[])
    GROUP BY user_id, role, purpose, outcome, address, request, CASE WHEN request = '' THEN position END) looks;

-- name: accesses
SELECT position, at, user_id, role, action, category, purpose, outcome, phi, subjects, address, request
FROM kernel.access_log
WHERE organisation = $1 AND ($2::uuid IS NULL OR user_id = $2)
  AND ($3::text IS NULL OR category = $3) AND ($4::text IS NULL OR outcome = $4)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
  AND ($7::uuid[] IS NULL OR NOT subjects && $7)
  AND ($8::uuid[] IS NULL OR subjects <@ $8 AND subjects <> '{}')
ORDER BY at DESC, position DESC LIMIT $9 OFFSET $10;

-- name: count_accesses
SELECT count(*) FROM kernel.access_log
WHERE organisation = $1 AND ($2::uuid IS NULL OR user_id = $2)
  AND ($3::text IS NULL OR category = $3) AND ($4::text IS NULL OR outcome = $4)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
  AND ($7::uuid[] IS NULL OR NOT subjects && $7)
  AND ($8::uuid[] IS NULL OR subjects <@ $8 AND subjects <> '{}');

-- name: accesses_of_charts
SELECT position, at, user_id, role, action, category, purpose, outcome, phi, subjects, address, request
FROM kernel.looks_at($1::uuid[])
WHERE ($2::uuid IS NULL OR user_id = $2) AND ($3::text IS NULL OR category = $3) AND ($4::text IS NULL OR outcome = $4)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
  AND ($7::uuid[] IS NULL OR NOT subjects && $7)
  AND ($8::uuid[] IS NULL OR subjects <@ $8 AND subjects <> '{}')
ORDER BY at DESC, position DESC LIMIT $9 OFFSET $10;

-- name: count_accesses_of_charts
SELECT count(*) FROM kernel.looks_at($1::uuid[])
WHERE ($2::uuid IS NULL OR user_id = $2) AND ($3::text IS NULL OR category = $3) AND ($4::text IS NULL OR outcome = $4)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
  AND ($7::uuid[] IS NULL OR NOT subjects && $7)
  AND ($8::uuid[] IS NULL OR subjects <@ $8 AND subjects <> '{}');

-- name: access
SELECT position, at, user_id, role, action, category, purpose, outcome, phi, subjects, address, request
FROM kernel.access_log WHERE organisation = $1 AND position = $2;

-- name: writes_about
-- Nothing is opened: when, by whom and what kind of thing stand beside the ciphertext.
SELECT max(at) AS at, array_agg(DISTINCT user_id) AS actors, array_agg(DISTINCT event_type) AS kinds, count(*) AS events
FROM (
    SELECT user_id, event_type, CASE WHEN $3 THEN
        coalesce((metadata->>'source_recorded_at')::timestamptz, "timestamp") ELSE "timestamp" END AS at
    FROM kernel.event_store WHERE hospital_id = $1 AND subject_id = ANY($2::uuid[])) written
GROUP BY date_trunc('minute', at) ORDER BY at DESC LIMIT $4;
