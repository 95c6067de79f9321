"""The room's rules: what a prescription may become, and what the tables say against an order."""
