"""What may be refused, in the user's words."""

from salerno.kernel.errors import Conflict, NotFound


class NoSuchOrganisation(NotFound):
    code = "no-such-organisation"
    sentence = "There is no such organisation, or it is not for you to see."


class AlreadyRegistered(Conflict):
    code = "organisation-already-registered"
    sentence = "This organisation is registered. Change it instead."


class NoSuchLocation(NotFound):
    code = "no-such-location"
    sentence = "There is no such location."


class LocationIsClosed(Conflict):
    code = "location-closed"
    sentence = "This location was closed. Reopen it first."


class LocationNameTaken(Conflict):
    code = "location-name-taken"
    sentence = "Another location has this name."
