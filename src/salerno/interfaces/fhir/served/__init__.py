"""What the FHIR R4 interface answers over HTTP: the statement of what it can do, and resources by their id."""
