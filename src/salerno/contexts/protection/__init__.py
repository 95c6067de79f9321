"""Who may not see a chart that others may: restricted charts, and breaking the glass.

A chart is *restricted* for a reason: it is open to its patient, to the accounts that the restriction names and,
unless it says "named only", to whoever has it in care. Everybody else learns nothing of it, not even in totals.
*Breaking the glass* opens one chart to one account for minutes, with a reason; the privacy officer reviews each.
*Care* is what appointments and visits say of who has to do with whom, and where.
`wards.py` is what the bus asks, before every answer and every wish.
"""
