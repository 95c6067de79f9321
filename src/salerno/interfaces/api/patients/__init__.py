"""Patients over REST (PAT-04 to PAT-11): list, search, one record and its life, on the bare and the versioned path.

The bare path answers exactly as PAT-04 and PAT-05 say. The versioned one answers more, and says the names that
other clients know (`firstName`, `dateOfBirth` …) beside ours. Both spellings are understood on both paths.
"""

from salerno.interfaces.api.patients import life, records

ROUTES = [*records.ROUTES, *life.ROUTES]
