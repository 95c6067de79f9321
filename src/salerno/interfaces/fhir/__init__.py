"""The FHIR door: resources come in as commands of the rooms. It decides nothing and keeps no rule.

`reading` looks into one resource, `references` finds what it points at, `translators` say which command it is,
`bundles` reads files, `importer` puts them through the bus, `reports` counts.
"""
