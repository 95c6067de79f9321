"""Outgoing e-mail: what a letter is, the port that takes one, and its adapter over SMTP."""

import ssl
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as AS_MAIL
from email.utils import format_datetime, parseaddr
from typing import Literal, Protocol
from uuid import UUID

import aiosmtplib
from msgspec import Struct

SECONDS = 30.0
SECURED: dict[str, tuple[bool, bool]] = {"tls": (True, False), "starttls": (False, True), "none": (False, False)}


class Letter(Struct, frozen=True, kw_only=True):
    """Plain text to one mailbox. The id stands in its Message-ID: sent twice, it is the same letter."""

    id: UUID
    to: str
    subject: str
    body: str
    language: str
    written_at: datetime

    def __repr__(self) -> str:
        return f"Letter(id={self.id})"


class Undelivered(Exception):
    """The letter did not go out. `for_good`: the other side will not take it later either."""

    def __init__(self, cause: str, *, for_good: bool) -> None:
        super().__init__(cause)
        self.cause, self.for_good = cause, for_good


class Mail(Protocol):
    """Whoever takes letters. Raises Undelivered."""

    async def send(self, letter: Letter) -> None: ...


class SmtpMail:
    """The mail server of the settings. A connection lives for one letter: letters are few and hours apart."""

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        security: Literal["starttls", "tls", "none"] = "starttls",
        user: str = "",
        password: str = "",
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.host, self.port, self.sender, self.security = host, port, sender, security
        self._user, self._password, self._trust, self._seconds = user, password, trust, seconds

    async def send(self, letter: Letter) -> None:
        at_once, then = SECURED[self.security]
        try:
            await aiosmtplib.send(
                message_of(letter, self.sender),
                hostname=self.host,
                port=self.port,
                username=self._user or None,
                password=self._password or None,
                use_tls=at_once,
                start_tls=then,
                tls_context=self._trust,
                timeout=self._seconds,
                sender=parseaddr(self.sender)[1],
                recipients=[letter.to],
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            codes = [one.code for one in refused.recipients]
            raise Undelivered(f"recipient {codes[0]}", for_good=all(code >= 500 for code in codes)) from None
        except aiosmtplib.SMTPAuthenticationError as refused:
            raise Undelivered(f"authentication {refused.code}", for_good=False) from None
        except aiosmtplib.SMTPResponseException as refused:
            raise Undelivered(f"answer {refused.code}", for_good=refused.code >= 500) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Undelivered(type(error).__name__, for_good=False) from None


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """The letter as it travels: no picture, no counter, nothing that answers by itself."""
    name, address = parseaddr(sender)
    made = EmailMessage(policy=AS_MAIL)
    made["From"] = Address(name or "Salerno", addr_spec=address)
    made["To"] = Address(addr_spec=letter.to)
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(letter.written_at)
    made["Message-ID"] = f"<{letter.id}@{address.rpartition('@')[2] or 'localhost'}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.body, cte="quoted-printable")
    made["Content-Language"] = letter.language
    return made
