"""Salerno: a self-hosted electronic health record and practice-management platform."""
