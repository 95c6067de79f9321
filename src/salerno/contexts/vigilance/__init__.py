"""Unusual access: what is worth a second look, raised as alerts, and what came of each.

It follows the access log and the sign-ins, compares them with what it has learnt of accounts, working hours and
appointments, and raises an alert with its cause. Whoever holds `vigilance.review` looks into it and says what it
was; everybody sees the alerts about themselves. An alert is a question, not a verdict: nothing is blocked by it.
"""
