"""Who works here: a practice of one, a clinic or a hospital, its locations and the way it wants to work.

An *organisation* is the tenant: every fact in Salerno belongs to exactly one. Its *kind* is independent (one
practitioner), clinic or hospital. A *location* is an address where it sees people. *Settings* are what an
administrator may choose; each has a default that is safe. An *onboarding flow* is the list of questions that
lead a newcomer of each kind to a working practice. A *specialty* brings suggestions: visit types with their
lengths, and templates for notes.
"""
