"""When a member of staff may be changed, and what becomes of the hours."""
