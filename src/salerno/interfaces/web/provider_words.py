"""What scopes mean, in words for the person who is asked, and the words of applications."""

import re

from salerno.interfaces.web.words import WORDS, mark

SCOPES = {
    "openid": mark("Know that it is you"),
    "profile": mark("Your name, role and language"),
    "email": mark("Your e-mail address"),
    "offline_access": mark("Stay signed in while you are away"),
    "fhirUser": mark("Which patient or member of staff you are"),
    "launch": mark("Know from which chart it was opened"),
    "launch/patient": mark("Know which patient it is about"),
    "launch/encounter": mark("Know which visit it is about"),
    "patient-api": mark("Patients' personal data, as far as you may use them"),
    "appointment-api": mark("Appointments, as far as you may use them"),
    "records-api": mark("Health records, as far as you may use them"),
    "encounter-api": mark("Visits and notes, as far as you may use them"),
    "prescription-api": mark("Prescriptions, as far as you may use them"),
    "organisation-api": mark("The organisation's settings, as far as you may use them"),
    "staff-api": mark("Staff and working hours, as far as you may use them"),
    "identity-api": mark("Accounts, also your own, as far as you may use them"),
    "audit-api": mark("Who has looked and who has written, as far as you may see it"),
}
SMART = re.compile(r"(patient|user|system)/([^.]+)\.([a-z*]+)(?:\?category=(.+))?")
WHOSE = {
    "patient": mark("Of the one patient"),
    "user": mark("Of every patient you may see"),
    "system": mark("Of every patient"),
}
READS, WRITES, BOTH = mark("read"), mark("write"), mark("read and write")
EVERYTHING = mark("everything")
WORDS.update(
    {
        "client-web": mark("Web application with a server"),
        "client-browser": mark("Application in the browser"),
        "client-native": mark("Program on a computer or telephone"),
        "client-service": mark("Service without people"),
        "client-active": mark("in use"),
        "client-retired": mark("retired"),
        "client-pending": mark("waits for approval"),
        "client-refused": mark("This cannot be done with this application."),
        "bad-address": mark("An https address (http on this machine only) without a fragment."),
        "unknown-scope": mark("There is no such scope."),
        "not-for-services": mark("A service has the scopes of rooms and of system/ only, and no addresses."),
        "for-services": mark("Only a service may have scopes of system/."),
        "not-for-public": mark("A program that cannot keep a secret has no key."),
        "no-such-device": mark("This code is not valid, or not any more. Look at the device again."),
        "too-many-attempts": mark("Too many attempts. Wait a little."),
        "expired": mark("This took too long. Go back to the application and start again."),
        "invalid_client": mark("This application is not known here."),
        "invalid_request": mark("The application sent a request that makes no sense."),
        "invalid_request_uri": mark("The application's request is over. Go back to it and start again."),
    }
)


def told(scope: str) -> tuple[str, ...]:
    """A scope in marked words, to be translated one by one and shown in a row; at last its own name."""
    if scope in SCOPES:
        return (SCOPES[scope],)
    found = SMART.fullmatch(scope)
    if found is None:
        return (scope,)
    context, resource, letters, category = found.groups()
    reads, writes = bool(set(letters) & set("rs*")) or letters == "read", bool(set(letters) & set("cud*"))
    how = BOTH if reads and writes else (WRITES if writes else READS)
    what = EVERYTHING if resource == "*" else resource
    return (WHOSE[context], what, *((category,) if category else ()), how)
