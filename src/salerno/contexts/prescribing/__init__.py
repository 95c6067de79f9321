"""Prescribing: what a patient takes, what was ordered, what the tables say against it, and who signed.

A prescription is drafted, screened, signed and perhaps cancelled; each of its medicines may be stopped.
A medicine taken elsewhere is recorded as a statement. An alert is what the tables say; an override is a
clinician's answer to it, with a reason. Screening is decision support: no alert does not mean no danger.
"""
