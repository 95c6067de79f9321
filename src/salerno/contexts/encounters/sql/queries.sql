-- name: charts_of
-- The chart itself and every chart that was merged into it.
WITH RECURSIVE charts AS (
    SELECT $2::uuid AS patient
    UNION
    SELECT m.patient FROM merged_charts m JOIN charts c ON c.patient = m.into_patient WHERE m.organisation = $1
)
SELECT patient FROM charts;

-- name: remember_merge
INSERT INTO merged_charts (organisation, patient, into_patient) VALUES ($1, $2, $3)
ON CONFLICT (organisation, patient) DO UPDATE SET into_patient = excluded.into_patient;

-- name: forget_merge
DELETE FROM merged_charts WHERE organisation = $1 AND patient = $2;

-- name: own_notes_of_visit
SELECT id, status FROM notes WHERE organisation = $1 AND visit = $2 AND author = $3 ORDER BY started_at, id;

-- name: has_signed_notes
SELECT EXISTS (SELECT FROM notes WHERE organisation = $1 AND visit = $2 AND status = 'signed');

-- name: page_of_visits
SELECT id, subject, version, recorded_at, doc FROM visits
WHERE organisation = $1 AND subject = ANY($2) ORDER BY started_at DESC, id LIMIT $3 OFFSET $4;

-- name: count_visits
SELECT count(*) FROM visits WHERE organisation = $1 AND subject = ANY($2);

-- name: open_visits
SELECT id, subject, version, recorded_at, doc FROM visits
WHERE organisation = $1 AND status = 'open' AND ($2::uuid IS NULL OR practitioner = $2)
  AND subject <> ALL($4::uuid[]) AND ($5::uuid[] IS NULL OR subject = ANY($5))
ORDER BY started_at LIMIT $3;

-- name: last_visits
SELECT c.patient, max(v.started_at) AS last
FROM (
    SELECT unnest($2::uuid[]) AS patient, unnest($2::uuid[]) AS chart
    UNION SELECT m.into_patient, m.patient FROM merged_charts m WHERE m.organisation = $1 AND m.into_patient = ANY($2)
) c JOIN visits v ON v.organisation = $1 AND v.subject = c.chart AND v.status <> 'cancelled' AND v.started_at <= $3
GROUP BY c.patient;

-- name: notes_of_visits
SELECT id, subject, version, recorded_at, doc FROM notes
WHERE organisation = $1 AND visit = ANY($2) ORDER BY started_at, id;

-- name: unsigned_notes
SELECT id, subject, version, recorded_at, doc FROM notes
WHERE organisation = $1 AND author = $2 AND status = 'draft' AND subject <> ALL($4::uuid[])
    AND ($5::uuid[] IS NULL OR subject = ANY($5)) ORDER BY started_at LIMIT $3;

-- name: timeline
SELECT * FROM (
SELECT 'visit' AS kind, id, subject, version, recorded_at, doc, started_at FROM visits
WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR started_at < $3 OR (started_at = $3 AND id > $5::uuid))
UNION ALL
SELECT 'note', id, subject, version, recorded_at, doc, started_at FROM notes
WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR started_at < $3 OR (started_at = $3 AND id > $5::uuid))) AS everything WHERE $6::text IS NULL OR kind = $6
ORDER BY started_at DESC, id LIMIT $4;
