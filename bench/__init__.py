"""How fast, beside how fast the same PostgreSQL can be on the same machine in the same run: `make bench`."""
