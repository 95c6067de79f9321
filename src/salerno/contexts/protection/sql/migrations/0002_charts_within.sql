-- For rights that carry to some charts only: whom an account has in care, and who is seen where it works.
CREATE INDEX care_by_practitioner ON care (organisation, practitioner, at) WHERE active;
CREATE INDEX care_by_location ON care (organisation, location, at) WHERE active AND location IS NOT NULL;
