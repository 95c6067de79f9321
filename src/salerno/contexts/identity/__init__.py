"""Who may come in, as what, and for how long.

An *account* belongs to one organisation and has one role; a *permission* is what a message needs, and
`data/roles.csv` says which role holds which. A *session* is a row, not an event, because it changes with
every request; signing in, signing out and failing to are events.

Secrets (passwords, session tokens, codes, signing keys) stand in no event. Messages that carry or answer
one are *errands*: they run in transactions of their own, keep only hashes or sealed values in tables that
are never rebuilt, and write events that say that something happened, never with what.
"""
