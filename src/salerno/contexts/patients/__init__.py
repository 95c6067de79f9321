"""Who the people in care are: registration, identity, contacts, consents, search and duplicates.

A *patient* is one person with one chart in one organisation, known by a *medical record number* (MRN).
*Demographics* are name, birth date, sex, contacts, identifiers and insurance: no clinical fact lives here.
A *likely duplicate* is another patient whose demographics speak, field by field, for being the same person.
*Merging* points one chart (the duplicate) to another (the survivor); both keep their streams and keys, so
un-merging returns each exactly. *Linked subjects* of a patient are the charts that were merged into it.
A *search card* is the small sealed document that a search opens; *search tokens* are its blind index.
"""
