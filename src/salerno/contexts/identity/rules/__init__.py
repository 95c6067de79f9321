"""What may be decided about roles, accounts, passwords and codes. Pure."""
