-- name: booking_facts
WITH w AS MATERIALIZED (  -- found first: the planner uses no index for what a function answers
    SELECT coalesce((SELECT id FROM people WHERE organisation = $1 AND id = $2 AND merged_into IS NULL),
                    chart_of($1, $2)) AS patient)
SELECT w.patient,
       CASE WHEN pt.id IS NULL THEN NULL
            WHEN EXISTS (SELECT FROM people m WHERE m.organisation = $1 AND m.merged_into = w.patient)
            THEN charts_behind($1, w.patient) ELSE ARRAY[w.patient] END AS charts,
       pr.id IS NOT NULL AS practises,
       ro.roster, c.timezone, c.country, c.online, c.days_ahead,
       v.minutes, v.buffer_before, v.buffer_after, v.retired,
       rm.id IS NOT NULL AS has_room, rm.retired AS room_retired, rm.location AS room_location,
       pl.id IS NOT NULL AS has_place
FROM w
LEFT JOIN people pt ON pt.organisation = $1 AND pt.id = w.patient AND pt.kind = 'patient' AND pt.active
LEFT JOIN people pr ON pr.organisation = $1 AND pr.id = $3 AND pr.kind = 'practitioner' AND pr.active
LEFT JOIN rosters ro ON ro.organisation = $1 AND ro.practitioner = $3
LEFT JOIN practices c ON c.organisation = $1
LEFT JOIN visit_types v ON v.organisation = $1 AND v.code = $4
LEFT JOIN rooms rm ON rm.organisation = $1 AND rm.id = $5
LEFT JOIN places pl ON pl.organisation = $1 AND pl.id = $6 AND pl.active

-- name: holds_in_the_way
SELECT kind, resource, appointment, starts_at, ends_at FROM holds_in_the_way($1, $2, $3, $4, $5, $6, $7)
ORDER BY starts_at, kind, appointment

-- name: lock
SELECT pg_advisory_xact_lock($1)

-- name: hold
INSERT INTO held_slots (organisation, appointment, kind, resource, during)
SELECT $1, $2, w.kind, w.resource, tstzrange(w.starting, w.ending)
FROM unnest($3::text[], $4::uuid[], $5::timestamptz[], $6::timestamptz[]) AS w(kind, resource, starting, ending)

-- name: swap_holds
SELECT swap_holds($1, $2, $3, $4, $5, $6)

-- name: release
DELETE FROM held_slots WHERE organisation = $1 AND appointment = $2

-- name: holds_of_appointment
SELECT kind, resource, starts_at, ends_at
FROM held_slots WHERE organisation = $1 AND appointment = $2 ORDER BY kind

-- name: holds_between
SELECT resource, starts_at, ends_at
FROM held_slots
WHERE organisation = $1 AND resource = ANY($2) AND appointment <> $5
  AND ends_at > $3 AND ends_at < $4::timestamptz + interval '2 days' AND starts_at < $4

-- name: practice
SELECT timezone, country, opens, closes, online, days_ahead FROM practices WHERE organisation = $1

-- name: practitioners
SELECT p.id, p.subject, p.doc, p.active, p.role, p.specialties, r.roster
FROM people p LEFT JOIN rosters r ON r.organisation = $1 AND r.practitioner = p.id
WHERE p.organisation = $1 AND p.kind = 'practitioner'
  AND ($2::uuid[] IS NULL OR p.id = ANY($2)) AND ($3::text IS NULL OR $3 = ANY(p.specialties))

-- name: charts_behind
SELECT charts_behind($1, chart_of($1, $2))

-- name: names
SELECT id, subject, doc FROM people WHERE organisation = $1 AND id = ANY($2)

-- name: appointment
SELECT id, subject, version, recorded_at, doc FROM appointments WHERE organisation = $1 AND id = $2

-- name: appointments_between
SELECT id, subject, version, recorded_at, doc, count(*) OVER () AS total
FROM appointments
WHERE organisation = $1
  AND starts_at >= $2 AND starts_at < $3
  AND ($4::uuid[] IS NULL OR practitioner = ANY($4))
  AND ($5::uuid[] IS NULL OR subject = ANY($5))
  AND ($6::text[] IS NULL OR status = ANY($6))
  AND subject <> ALL($7::uuid[]) AND ($8::uuid[] IS NULL OR subject = ANY($8))
ORDER BY starts_at, id
LIMIT $9 OFFSET $10

-- name: count_appointments_between
SELECT count(*)
FROM appointments
WHERE organisation = $1
  AND starts_at >= $2 AND starts_at < $3
  AND ($4::uuid[] IS NULL OR practitioner = ANY($4))
  AND ($5::uuid[] IS NULL OR subject = ANY($5))
  AND ($6::text[] IS NULL OR status = ANY($6))
  AND subject <> ALL($7::uuid[]) AND ($8::uuid[] IS NULL OR subject = ANY($8))

-- name: calendar
SELECT id, subject, version, recorded_at, doc, practitioner, room, starts_at, ends_at
FROM appointments
WHERE organisation = $1 AND starts_at >= $2 AND starts_at < $3
  AND ($4::uuid[] IS NULL OR practitioner = ANY($4))
  AND status <> 'cancelled'
ORDER BY starts_at, id
LIMIT $5

-- name: waiting
SELECT id, subject, version, recorded_at, doc
FROM appointments
WHERE organisation = $1 AND status = 'checked-in' AND checked_in_at >= $2
  AND ($3::uuid IS NULL OR location = $3) AND ($4::uuid IS NULL OR practitioner = $4)
  AND subject <> ALL($5::uuid[]) AND ($6::uuid[] IS NULL OR subject = ANY($6))
ORDER BY checked_in_at, id

-- name: attendance
SELECT practitioner, status, count(*) AS visits
FROM appointments
WHERE organisation = $1 AND starts_at >= $2 AND starts_at < $3
GROUP BY practitioner, status

-- name: visit_types
SELECT code, name_it, name_en, kind, minutes, buffer_before, buffer_after, colour, retired
FROM visit_types WHERE organisation = $1

-- name: keep_visit_type
INSERT INTO visit_types
    (organisation, code, name_it, name_en, kind, minutes, buffer_before, buffer_after, colour, retired)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (organisation, code) DO UPDATE SET
    name_it = excluded.name_it, name_en = excluded.name_en, kind = excluded.kind, minutes = excluded.minutes,
    buffer_before = excluded.buffer_before, buffer_after = excluded.buffer_after, colour = excluded.colour,
    retired = excluded.retired

-- name: retire_visit_type
UPDATE visit_types SET retired = true WHERE organisation = $1 AND code = $2

-- name: rooms
SELECT id, name, kind, location, version FROM rooms
WHERE organisation = $1 AND NOT retired AND ($2::uuid IS NULL OR location = $2)
ORDER BY name, id

-- name: keep_room
INSERT INTO rooms (organisation, id, name, kind, location, retired, version)
VALUES ($1, $2, $3, $4, $5, false, $6)
ON CONFLICT (organisation, id) DO UPDATE SET
    name = excluded.name, kind = excluded.kind, location = excluded.location, version = excluded.version

-- name: retire_room
UPDATE rooms SET retired = true, version = $3 WHERE organisation = $1 AND id = $2

-- name: keep_person
INSERT INTO people (organisation, id, subject, kind, role, doc) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organisation, id) DO UPDATE SET role = excluded.role, doc = excluded.doc

-- name: keep_patients
INSERT INTO people (organisation, id, subject, kind, role, doc)
SELECT $1, p.id, p.id, 'patient', '', p.doc FROM unnest($2::uuid[], $3::bytea[]) AS p(id, doc)
ON CONFLICT (organisation, id) DO UPDATE SET doc = excluded.doc

-- name: keep_specialties
UPDATE people SET specialties = $3 WHERE organisation = $1 AND id = $2

-- name: set_active
UPDATE people SET active = $3 WHERE organisation = $1 AND id = $2

-- name: merge_person
UPDATE people SET merged_into = $3 WHERE organisation = $1 AND id = $2

-- name: roster_of
SELECT roster FROM rosters WHERE organisation = $1 AND practitioner = $2

-- name: keep_roster
INSERT INTO rosters (organisation, practitioner, roster) VALUES ($1, $2, $3)
ON CONFLICT (organisation, practitioner) DO UPDATE SET roster = excluded.roster

-- name: keep_practice
INSERT INTO practices (organisation, timezone, country, opens, closes, online, days_ahead)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organisation) DO UPDATE SET
    timezone = excluded.timezone, country = excluded.country, opens = excluded.opens, closes = excluded.closes,
    online = excluded.online, days_ahead = excluded.days_ahead

-- name: keep_place
INSERT INTO places (organisation, id, name) VALUES ($1, $2, $3)
ON CONFLICT (organisation, id) DO UPDATE SET name = excluded.name

-- name: places
SELECT id, name FROM places WHERE organisation = $1 AND active ORDER BY name, id

-- name: close_place
UPDATE places SET active = $3 WHERE organisation = $1 AND id = $2
