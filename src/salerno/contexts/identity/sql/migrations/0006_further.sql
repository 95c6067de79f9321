-- What kind of organisation it is: who administers an independent doctor's practice may see patients as well.
ALTER TABLE homes ADD COLUMN kind text NOT NULL DEFAULT '';
