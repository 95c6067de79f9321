-- name: charts_of
-- The chart itself and every chart that was merged into it.
WITH RECURSIVE charts AS (
    SELECT $2::uuid AS patient
    UNION
    SELECT m.patient FROM merged_charts m JOIN charts c ON c.patient = m.into_patient WHERE m.organisation = $1
)
SELECT patient FROM charts;

-- name: charts_and_person
-- The same, with the sealed facts about the person whose chart was asked for.
WITH RECURSIVE charts AS (
    SELECT $2::uuid AS patient
    UNION
    SELECT m.patient FROM merged_charts m JOIN charts c ON c.patient = m.into_patient WHERE m.organisation = $1
)
SELECT c.patient, p.id, p.subject, p.doc
FROM charts c LEFT JOIN people p ON p.organisation = $1 AND p.id = $2 AND p.id = c.patient;

-- name: remember_merge
INSERT INTO merged_charts (organisation, patient, into_patient) VALUES ($1, $2, $3)
ON CONFLICT (organisation, patient) DO UPDATE SET into_patient = excluded.into_patient;

-- name: forget_merge
DELETE FROM merged_charts WHERE organisation = $1 AND patient = $2;

-- name: remember_people
INSERT INTO people (organisation, id, subject, doc)
SELECT $1, p.id, p.id, p.doc FROM unnest($2::uuid[], $3::bytea[]) AS p(id, doc)
ON CONFLICT (organisation, id) DO UPDATE SET doc = excluded.doc;

-- name: problems_with_code
SELECT id FROM problems
WHERE organisation = $1 AND subject = $2 AND code = $3 AND status <> 'entered-in-error' ORDER BY recorded_at DESC;

-- name: active_problem_codes
SELECT DISTINCT code FROM problems
WHERE organisation = $1 AND subject = ANY($2) AND status IN ('active', 'recurrence', 'relapse') AND code <> '';

-- name: has_active_allergies
SELECT EXISTS (
    SELECT FROM allergies
    WHERE organisation = $1 AND subject = ANY($2) AND status = 'active'
);

-- name: problems
SELECT id, subject, version, recorded_at, doc FROM problems
WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error' AND ($3 OR status IN ('active', 'recurrence', 'relapse'))
ORDER BY at DESC, id;

-- name: allergies
SELECT id, subject, version, recorded_at, doc FROM allergies
WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error' ORDER BY at DESC, id;

-- name: vitals
SELECT id, subject, version, recorded_at, doc FROM vitals
WHERE organisation = $1 AND subject = ANY($2) AND status = 'active'
  AND ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at <= $4)
ORDER BY at DESC, id LIMIT $5;

-- name: observations_with_codes
SELECT id, subject, version, recorded_at, doc FROM observations
WHERE organisation = $1 AND subject = ANY($2) AND code = ANY($3) AND status NOT IN ('entered-in-error', 'cancelled')
  AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at <= $5)
ORDER BY at DESC, id LIMIT $6;

-- name: page_of_observations
-- Each chart's newest rows come straight from the index; a list of charts in one condition would sort them all.
SELECT newest.id, newest.subject, newest.version, newest.recorded_at, newest.doc,
       (SELECT count(*) FROM observations
        WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error'
          AND ($3::text IS NULL OR code = $3) AND ($4::text IS NULL OR category = $4)) AS total
FROM unnest($2::uuid[]) AS chart (patient) CROSS JOIN LATERAL (
    SELECT id, subject, version, recorded_at, doc, at FROM observations
    WHERE organisation = $1 AND subject = chart.patient AND status <> 'entered-in-error'
      AND ($3::text IS NULL OR code = $3) AND ($4::text IS NULL OR category = $4)
    ORDER BY at DESC, id LIMIT $5::int + $6::int) AS newest
ORDER BY newest.at DESC, newest.id LIMIT $5 OFFSET $6;

-- name: count_observations
SELECT count(*) FROM observations
WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error'
  AND ($3::text IS NULL OR code = $3) AND ($4::text IS NULL OR category = $4);

-- name: kept_resources
SELECT id, subject, version, recorded_at, doc FROM kept_resources
WHERE organisation = $1 AND subject = ANY($2) AND ($3::text IS NULL OR resource_type = $3)
ORDER BY resource_type, id LIMIT $4 OFFSET $5;

-- name: count_kept_resources
SELECT count(*) FROM kept_resources
WHERE organisation = $1 AND subject = ANY($2) AND ($3::text IS NULL OR resource_type = $3);

-- name: chart_sections
(SELECT 'problems' AS part, id, subject, version, recorded_at, doc, at FROM problems
 WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error')
UNION ALL
(SELECT 'allergies', id, subject, version, recorded_at, doc, at FROM allergies
 WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error')
UNION ALL
(SELECT 'vitals', id, subject, version, recorded_at, doc, at FROM vitals
 WHERE organisation = $1 AND subject = ANY($2) AND status = 'active' ORDER BY at DESC, id LIMIT 5)
UNION ALL
(SELECT 'histories', id, subject, version, recorded_at, doc, at FROM histories
 WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error' ORDER BY at DESC, id LIMIT 100)
UNION ALL
(SELECT 'immunizations', id, subject, version, recorded_at, doc, at FROM immunizations
 WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error' ORDER BY at DESC, id LIMIT 100)
UNION ALL
(SELECT 'procedures', id, subject, version, recorded_at, doc, at FROM procedures
 WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error' ORDER BY at DESC, id LIMIT 50)
UNION ALL
(SELECT 'reports', id, subject, version, recorded_at, doc, at FROM reports
 WHERE organisation = $1 AND subject = ANY($2) AND status <> 'entered-in-error' ORDER BY at DESC, id LIMIT 20)
UNION ALL
(SELECT 'care_plans', id, subject, version, recorded_at, doc, at FROM care_plans
 WHERE organisation = $1 AND subject = ANY($2) AND status NOT IN ('entered-in-error', 'completed', 'revoked')
 ORDER BY at DESC, id LIMIT 50)
UNION ALL
(SELECT 'goals', id, subject, version, recorded_at, doc, at FROM goals
 WHERE organisation = $1 AND subject = ANY($2) AND status NOT IN ('entered-in-error', 'completed', 'cancelled', 'rejected')
 ORDER BY at DESC, id LIMIT 50)
UNION ALL
(SELECT 'observations', o.id, o.subject, o.version, o.recorded_at, o.doc, o.at FROM (
    SELECT DISTINCT ON (code) id, at FROM observations
    WHERE organisation = $1 AND subject = ANY($2) AND status NOT IN ('entered-in-error', 'cancelled')
    ORDER BY code, at DESC, id) AS newest
 JOIN observations o ON o.organisation = $1 AND o.id = newest.id
 ORDER BY newest.at DESC, newest.id LIMIT 40)
ORDER BY at DESC, id;

-- name: timeline
SELECT part, id, subject, version, recorded_at, doc, at FROM (
    (SELECT 'problems' AS part, id, subject, version, recorded_at, doc, at FROM problems
     WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status <> 'entered-in-error'
     ORDER BY at DESC, id LIMIT $4)
    UNION ALL
    (SELECT 'allergies', id, subject, version, recorded_at, doc, at FROM allergies
     WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status NOT IN ('entered-in-error', 'none-known')
     ORDER BY at DESC, id LIMIT $4)
    UNION ALL
    (SELECT 'vitals', id, subject, version, recorded_at, doc, at FROM vitals
     WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status <> 'entered-in-error'
     ORDER BY at DESC, id LIMIT $4)
    UNION ALL
    (SELECT 'immunizations', id, subject, version, recorded_at, doc, at FROM immunizations
     WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status <> 'entered-in-error'
     ORDER BY at DESC, id LIMIT $4)
    UNION ALL
    (SELECT 'procedures', id, subject, version, recorded_at, doc, at FROM procedures
     WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status <> 'entered-in-error'
     ORDER BY at DESC, id LIMIT $4)
    UNION ALL
    (SELECT 'reports', id, subject, version, recorded_at, doc, at FROM reports
     WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status <> 'entered-in-error'
     ORDER BY at DESC, id LIMIT $4)
    UNION ALL
    (SELECT 'care_plans', id, subject, version, recorded_at, doc, at FROM care_plans
     WHERE organisation = $1 AND subject = ANY($2) AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status <> 'entered-in-error'
     ORDER BY at DESC, id LIMIT $4)
    UNION ALL
    (SELECT 'observations', newest.* FROM unnest($2::uuid[]) AS chart (patient) CROSS JOIN LATERAL (
        SELECT id, subject, version, recorded_at, doc, at FROM observations
        WHERE organisation = $1 AND subject = chart.patient
          AND ($3::timestamptz IS NULL OR at < $3 OR (at = $3 AND id > $5::uuid)) AND status <> 'entered-in-error'
        ORDER BY at DESC, id LIMIT $4) AS newest)
) AS everything WHERE $6::text IS NULL OR part = $6 ORDER BY at DESC, id LIMIT $4;
