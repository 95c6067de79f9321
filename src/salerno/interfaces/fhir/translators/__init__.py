"""Which command each FHIR resource is. One translator for each type; pure; both times in every wish."""
