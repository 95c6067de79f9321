"""What may be read of patients, in which shape."""

from collections.abc import Mapping

from salerno.contexts.patients.projections import PatientRecord
from salerno.contexts.patients.queries.duplicates import ANSWERS as OF_DUPLICATES
from salerno.contexts.patients.queries.duplicates import DuplicateFound, DuplicatesFound, LikelyDuplicates
from salerno.contexts.patients.queries.finding import ANSWERS as OF_FINDING
from salerno.contexts.patients.queries.finding import FindPatients, PatientMatch, PatientsFound
from salerno.contexts.patients.queries.records import ANSWERS as OF_RECORDS
from salerno.contexts.patients.queries.records import (
    Banner,
    ConsentsOf,
    LinkedSubjects,
    ListPatients,
    PatientAsOf,
    PatientBanner,
    PatientById,
    PatientLine,
    PatientName,
    PatientNames,
    PatientSheet,
    RemovedPatients,
)
from salerno.contexts.patients.rules.fields import GROUPS, Group, fields_of
from salerno.contexts.patients.rules.identifiers import uri_of_system
from salerno.kernel.messages import Query
from salerno.kernel.room import Answer

ANSWERS: Mapping[type[Query], Answer] = {**OF_RECORDS, **OF_FINDING, **OF_DUPLICATES}

__all__ = [
    "ANSWERS",
    "GROUPS",
    "Banner",
    "ConsentsOf",
    "DuplicateFound",
    "DuplicatesFound",
    "FindPatients",
    "Group",
    "LikelyDuplicates",
    "LinkedSubjects",
    "ListPatients",
    "PatientAsOf",
    "PatientBanner",
    "PatientById",
    "PatientLine",
    "PatientMatch",
    "PatientName",
    "PatientNames",
    "PatientRecord",
    "PatientSheet",
    "PatientsFound",
    "RemovedPatients",
    "fields_of",
    "uri_of_system",
]
