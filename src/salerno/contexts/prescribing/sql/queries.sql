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

-- name: remember_fact
INSERT INTO patient_facts (organisation, id, kind, subject, at, active, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organisation, id, kind)
DO UPDATE SET subject = excluded.subject, at = excluded.at, active = excluded.active, doc = excluded.doc;

-- name: set_fact_active
UPDATE patient_facts SET active = $3 WHERE organisation = $1 AND id = $2;

-- name: facts_of
-- All that is active, and of each kind of measurement the newest.
SELECT id, kind, subject, at, doc FROM patient_facts
WHERE organisation = $1 AND subject = ANY($2) AND active AND kind IN ('person', 'allergy', 'problem')
UNION ALL
(SELECT DISTINCT ON (kind) id, kind, subject, at, doc FROM patient_facts
 WHERE organisation = $1 AND subject = ANY($2) AND active AND kind NOT IN ('person', 'allergy', 'problem')
 ORDER BY kind, at DESC);

-- name: page_of_prescriptions
SELECT id, subject, version, recorded_at, doc FROM prescriptions
WHERE organisation = $1 AND ($2::uuid[] IS NULL OR subject = ANY($2)) AND ($3::text IS NULL OR status = $3)
  AND ($4::uuid IS NULL OR prescriber = $4) AND ($5::uuid IS NULL OR visit = $5)
  AND (NOT $6 OR signed) AND subject <> ALL($7::uuid[]) AND ($8::uuid[] IS NULL OR subject = ANY($8))
ORDER BY issued_at DESC, id LIMIT $9 OFFSET $10;

-- name: count_prescriptions
SELECT count(*) FROM prescriptions
WHERE organisation = $1 AND ($2::uuid[] IS NULL OR subject = ANY($2)) AND ($3::text IS NULL OR status = $3)
  AND ($4::uuid IS NULL OR prescriber = $4) AND ($5::uuid IS NULL OR visit = $5)
  AND (NOT $6 OR signed) AND subject <> ALL($7::uuid[]) AND ($8::uuid[] IS NULL OR subject = ANY($8));
