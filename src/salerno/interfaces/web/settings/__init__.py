"""How the practice is set up: a page for each part, and only those that the reader may use."""

from salerno.interfaces.web.settings import (
    accounts,
    catalogue,
    clients,
    further_roles,
    hours,
    invitations,
    locations,
    organisation,
    practice,
    roles,
    security,
    staff,
)

PAGES = [
    *organisation.PAGES,
    *locations.PAGES,
    *staff.PAGES,
    *hours.PAGES,
    *invitations.PAGES,
    *further_roles.PAGES,
    *roles.PAGES,
    *accounts.PAGES,
    *clients.PAGES,
    *catalogue.PAGES,
    *practice.PAGES,
    *security.PAGES,
]
