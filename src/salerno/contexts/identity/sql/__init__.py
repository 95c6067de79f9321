"""Statements and migrations of this room's schema."""
