-- name: practice
SELECT country, timezone, duplicate_threshold FROM practices WHERE organisation = $1;

-- name: put_practice
INSERT INTO practices (organisation, country, timezone, duplicate_threshold) VALUES ($1, $2, $3, $4)
ON CONFLICT (organisation) DO UPDATE SET country = excluded.country, timezone = excluded.timezone,
    duplicate_threshold = excluded.duplicate_threshold;

-- name: register_facts
-- Lists of tokens come as text: encoding each number by itself costs more than reading them.
SELECT * FROM register_facts($1, $2::text::bigint[], $3::text::bigint[], $4, $5, $6);

-- name: take_number
DELETE FROM free_numbers WHERE organisation = $1 AND year = $2 AND number = (
    SELECT number FROM free_numbers WHERE organisation = $1 AND year = $2
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING number;

-- name: taken_mrns
SELECT mrn FROM cards WHERE organisation = $1 AND mrn = ANY($2::bigint[]);

-- name: lock_counter
INSERT INTO number_counters AS c (organisation, year, made) VALUES ($1, $2, 0)
ON CONFLICT (organisation, year) DO UPDATE SET made = c.made RETURNING made;

-- name: make_numbers
WITH counted AS (UPDATE number_counters SET made = $4 WHERE organisation = $1 AND year = $2)
INSERT INTO free_numbers (organisation, year, number) SELECT $1, $2, unnest($3::integer[]);

-- name: drop_number
DELETE FROM free_numbers WHERE organisation = $1 AND year = $2 AND number = $3;

-- name: tally
INSERT INTO tallies (organisation, status, change) VALUES ($1, 'active', $2), ($1, 'removed', $3);

-- name: fold_tallies
WITH gone AS (DELETE FROM tallies WHERE organisation = $1 AND status = 'active' RETURNING change)
INSERT INTO tallies (organisation, status, change) SELECT $1, 'active', sum(change) FROM gone HAVING count(*) > 0;

-- name: lock_tallies
SELECT pg_advisory_xact_lock(hashtextextended('patients.tallies', 0) # ('x' || left($1::uuid::text, 8))::bit(32)::bigint);

-- name: count_again
WITH gone AS (DELETE FROM tallies WHERE organisation = $1)
INSERT INTO tallies (organisation, status, change)
SELECT $1, status, count(*) FROM patients WHERE organisation = $1 AND status IN ('active', 'removed') GROUP BY status;

-- name: how_many
SELECT coalesce(sum(change), 0)::bigint FROM tallies WHERE organisation = $1 AND status = $2;

-- name: how_many_of
SELECT count(*) FROM unnest($3::uuid[]) AS p JOIN patients c ON c.organisation = $1 AND c.id = p AND c.status = $2;

-- name: patient_with_links
SELECT id, subject, version, recorded_at, doc, EXISTS (
    SELECT FROM links l WHERE l.organisation = $1 AND l.survivor = $2 AND l.unmerged_at IS NULL) AS has_links
FROM patients WHERE organisation = $1 AND id = $2;

-- name: newest_patients
SELECT id, subject, version, recorded_at, doc FROM patients
WHERE organisation = $1 AND status = 'active' AND id <> ALL($4::uuid[]) AND ($5::uuid[] IS NULL OR id = ANY($5))
ORDER BY touched_at DESC, id DESC LIMIT $2 OFFSET $3;

-- name: removed_patients
SELECT id, subject, version, recorded_at, doc FROM patients
WHERE organisation = $1 AND status = 'removed' AND id <> ALL($4::uuid[]) AND ($5::uuid[] IS NULL OR id = ANY($5))
ORDER BY touched_at DESC, id DESC LIMIT $2 OFFSET $3;

-- name: lock_patients
SELECT id, status FROM patients WHERE organisation = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE;

-- name: new_card
INSERT INTO cards (organisation, id, subject, doc, status, mrn, tokens) VALUES ($1, $2, $2, $3, 'active', $4, $5::text::bigint[]);

-- name: new_tokens
INSERT INTO search_tokens (organisation, token, subject) SELECT $1, t, $2 FROM unnest($3::text::bigint[]) AS t;

-- name: change_card
WITH old AS (SELECT tokens FROM cards WHERE organisation = $1 AND id = $2),
gone AS (
    DELETE FROM search_tokens WHERE organisation = $1 AND subject = $2 AND token = ANY(ARRAY(
        SELECT t FROM old, unnest(old.tokens) AS t WHERE t <> ALL($4::bigint[])))),
card AS (UPDATE cards SET doc = $3, tokens = $4 WHERE organisation = $1 AND id = $2)
INSERT INTO search_tokens (organisation, token, subject) SELECT $1, t, $2 FROM unnest($4::bigint[]) AS t
ON CONFLICT DO NOTHING;

-- name: mark_card
UPDATE cards SET status = $3 WHERE organisation = $1 AND id = $2;

-- name: hide_card
WITH card AS (UPDATE cards SET status = 'removed' WHERE organisation = $1 AND id = $2 RETURNING tokens)
DELETE FROM search_tokens WHERE organisation = $1 AND subject = $2 AND token = ANY(ARRAY(
    SELECT t FROM card, unnest(card.tokens) AS t));

-- name: show_card
WITH card AS (
    UPDATE cards SET status = 'active' WHERE organisation = $1 AND id = $2 RETURNING tokens)
INSERT INTO search_tokens (organisation, token, subject) SELECT $1, t, $2 FROM card, unnest(card.tokens) AS t
ON CONFLICT DO NOTHING;

-- name: link
INSERT INTO links (organisation, patient, survivor, merged_at, version) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: unlink
UPDATE links SET unmerged_at = $3 WHERE organisation = $1 AND patient = $2 AND unmerged_at IS NULL;

-- name: find_one
SELECT c.id, c.subject, c.status, c.doc FROM newest_with($1, $2::text::bigint[], $3) AS t(subject)
JOIN cards c ON c.organisation = $1 AND c.id = t.subject;

-- name: find_two
SELECT c.id, c.subject, c.status, c.doc FROM newest_with_two($1, $2, $3, $4) AS t(subject)
JOIN cards c ON c.organisation = $1 AND c.id = t.subject;

-- name: find_both
SELECT c.id, c.subject, c.status, c.doc FROM newest_with_both($1, $2::text::bigint[], $3::text::bigint[], $4, $5) AS t(subject)
JOIN cards c ON c.organisation = $1 AND c.id = t.subject;

-- name: find_among
-- Of these alone, whoever a limited right carries to: read by their ids, however many others are called so.
SELECT id, subject, status, doc FROM cards
WHERE organisation = $1 AND id = ANY($2::uuid[]) AND status <> 'removed'
    AND tokens && $3::text::bigint[] AND ($4::text IS NULL OR tokens && $4::text::bigint[])
ORDER BY id DESC LIMIT $5;

-- name: suspects
SELECT c.id, c.subject, c.status, c.doc FROM (
    SELECT DISTINCT subject FROM search_tokens
    WHERE organisation = $1 AND token = ANY($2::bigint[]) AND ($4::uuid[] IS NULL OR subject = ANY($4)) LIMIT $3) t
JOIN cards c ON c.organisation = $1 AND c.id = t.subject;

-- name: cards_of
SELECT id, subject, status, doc FROM cards WHERE organisation = $1 AND id = ANY($2::uuid[]);

-- name: linked_subjects
WITH RECURSIVE charts(patient, depth) AS (
    SELECT $2::uuid, 0
    UNION
    SELECT l.patient, c.depth + 1 FROM charts c
    JOIN links l ON l.organisation = $1 AND l.survivor = c.patient
     AND l.merged_at <= coalesce($3::timestamptz, 'infinity') AND coalesce(l.unmerged_at > $3, l.unmerged_at IS NULL)
    WHERE c.depth < 20)
SELECT patient FROM charts GROUP BY patient ORDER BY min(depth), patient;

-- name: survivors
WITH RECURSIVE way(patient, at, depth) AS (
    SELECT p, p, 0 FROM unnest($2::uuid[]) AS p
    UNION
    SELECT w.patient, l.survivor, w.depth + 1 FROM way w
    JOIN links l ON l.organisation = $1 AND l.patient = w.at AND l.unmerged_at IS NULL
    WHERE w.depth < 20)
SELECT DISTINCT ON (patient) patient, at AS survivor FROM way ORDER BY patient, depth DESC;
