"""One mailbox, one spelling: the form in which an address is compared."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from salerno.kernel.errors import Invalid


def checked(text: str, path: str = "email") -> str:
    """The address as the person wrote it, tidied. Raises Invalid where it is none."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Invalid.field(path, "not-an-address", "This is not an e-mail address.") from None
    return found.normalized


def same(text: str) -> str:
    """What two spellings of one address have in common: case, width and composed forms do not matter."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())
    name, at, domain = folded.rpartition("@")
    try:
        return name + at + domain.encode("idna").decode()
    except UnicodeError:
        return folded
