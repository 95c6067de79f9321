-- name: all_locations
SELECT id, subject, version, recorded_at, doc FROM locations WHERE organisation = $1 ORDER BY id;

-- name: open_locations
SELECT id, subject, version, recorded_at, doc FROM locations WHERE organisation = $1 AND NOT closed ORDER BY id;

-- name: hold_name
INSERT INTO location_names (organisation, name, location) VALUES ($1, $2, $3)
ON CONFLICT (organisation, location) DO UPDATE SET name = excluded.name;

-- name: free_name
DELETE FROM location_names WHERE organisation = $1 AND location = $2;
