-- name: members_at_work
SELECT id, subject, version, recorded_at, doc FROM members
WHERE organisation = $1 AND NOT removed AND ($2::text IS NULL OR role = $2);

-- name: keep_timezone
INSERT INTO clinic_time (organisation, timezone) VALUES ($1, $2)
ON CONFLICT (organisation) DO UPDATE SET timezone = excluded.timezone;

-- name: timezone_of
SELECT timezone FROM clinic_time WHERE organisation = $1;
