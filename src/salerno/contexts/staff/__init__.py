"""The people who work here: who they are, where and when they work, and when they do not.

A *member* is anybody on the staff; a *doctor* is a member with a licence and specialties, kept apart from
the general record. A *plan* is a week of working hours at one location, valid from a day on; the plan set
last wins. An *exception* replaces one day's hours. *Time off* is taken away from whatever the hours say.
*Availability* is what remains.
"""
