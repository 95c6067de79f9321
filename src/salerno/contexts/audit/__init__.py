"""Who has looked and who has written: the access log and the log's own trail, and the names of those in it.

The kernel writes both; this room only reads them. It learns the names of staff and of their accounts from
their rooms, and which charts were merged.
"""
