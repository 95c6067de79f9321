"""Scheduling: who is expected when, with whom and where.

An appointment holds its practitioner, its patient and its room for a stretch of time; the database
lets no two holds of one of them overlap. A practitioner and a room are also held for the buffers of
the visit type around the visit; a patient only for the visit itself.

A visit type gives an appointment its usual length, buffers and colour. A resource is a room or a
piece of equipment at a location. Working hours, time off, time zones and names belong to other
rooms; this one keeps what their events say.
"""
