"""Letters: written with what they tell about, sent through a real SMTP server, and what their links do."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email import policy as mail_policy
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.contexts.identity.commands import (
    ApproveUser,
    ChallengePosed,
    ChangePassword,
    ConfirmTotp,
    DeactivateUser,
    EnrolTotp,
    FoundCaller,
    Opened,
    Register,
    Registered,
    RegisterFounder,
    SignIn,
)
from salerno.contexts.identity.commands.letters import (
    AcceptInvitation,
    AskPasswordReset,
    ConfirmEmail,
    InviteAgain,
    InviteUser,
    ResetPassword,
)
from salerno.contexts.identity.errors import (
    AccountNotReady,
    EmailTaken,
    LinkOver,
    MayNotGrant,
    NoMail,
    PasswordRefused,
    TooManyAttempts,
    WrongCredentials,
    WrongPassword,
)
from salerno.contexts.identity.handlers.posting import LEASE, Postman
from salerno.contexts.identity.queries import UserById
from salerno.contexts.identity.rules.letters import kinds, pause, written
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.protection.commands import BreakGlass
from salerno.kernel.bus import Bus
from salerno.kernel.mail import SmtpMail
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Enter = Callable[..., Awaitable[Opened]]
Behind = Callable[..., Awaitable[FoundCaller | None]]
NEW = "seven herons cross the marsh at dusk"


class Inbox:
    """What the test's mail server took, and what it says to the next letters."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.answers: list[str] = []
        self.signed_in: list[str] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, server: Any, session: Any, envelope: Envelope
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content, policy=mail_policy.default))
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.signed_in.append(data.login.decode())
        return AuthResult(success=data.password == b"the right one", handled=False)  # the server says so itself

    def to(self, address: str) -> list[Any]:
        return [letter for letter in self.letters if letter["To"] == address]

    def token(self, address: str, nth: int = -1) -> str:
        found = re.search(r"token=([\w-]+)", self.to(address)[nth].get_content())
        assert found is not None
        return found[1]


@asynccontextmanager
async def serving(inbox: Inbox, **how: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(inbox, loop=loop, **how))
        return sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in sessions:
            if each.transport is not None:
                each.transport.close()  # whoever hung up in the middle leaves it half open
        await server.wait_closed()
        await asyncio.sleep(0.01)


@pytest.fixture
async def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def postman(bus: Bus, inbox: Inbox, policy: Callable[..., SignInPolicy]) -> AsyncIterator[Postman]:
    policy(mails=True, issuer="https://clinic.example")
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run("DELETE FROM letters")
    async with serving(inbox) as port:
        mail = SmtpMail("127.0.0.1", port, "Salerno <no-reply@clinic.example>", security="none")
        yield Postman(bus, mail)


@pytest.fixture
async def home(bus: Bus, organisation: UUID) -> UUID:
    async with bus.reading("identity", organisation) as tx:
        await tx.run("DELETE FROM homes")
        await tx.run("INSERT INTO homes (home, registered_at) VALUES ($1, now())", organisation)
    return organisation


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A mail server's certificate for this machine, and a client that trusts it and nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    plain = serialization.NoEncryption()
    written_key = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(written_key + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)


def fresh() -> str:
    return f"{uuid4().hex[:12]}@example.com"


def from_elsewhere() -> Caller:
    return Caller(actor=NOBODY.actor, organisation=NOBODY.organisation, address=f"198.51.100.{uuid4().int % 250}")


async def sign_up(bus: Bus, email: str, role: str = "PATIENT", password: str = PASSWORD) -> Registered:
    wish = Register(email=email, password=password, given_name="Lia", family_name="Neri", role=role, language="it")
    made: Registered = await bus.ask(wish, from_elsewhere())
    return made


async def ask_reset(bus: Bus, email: str) -> None:
    await bus.ask(AskPasswordReset(email=email), from_elsewhere())


async def test_t043_administrators_hear_of_a_break_glass_within_the_minute_by_a_letter_that_names_nobody(
    bus: Bus, postman: Postman, inbox: Inbox, person: Make, caller: Callable[..., Caller], doctor: Caller
) -> None:
    chief = caller("SUPER_ADMIN")
    officer, nurse = await person("ADMIN", by=chief), await person("NURSE", by=chief)
    breaker = await person("ADMIN", by=chief)
    wish = RegisterPatient(full_name="Olga Quintavalle", confirmed_not_duplicate=True)
    patient = (await bus.handle(wish, doctor)).aggregate_id
    both = replace(doctor, actor=breaker.account)
    why = "She collapsed in the corridor."
    await bus.handle(BreakGlass(patient_id=patient, reason="emergency", explanation=why), both)
    async with asyncio.timeout(60):
        while not await postman.deliver():
            await bus.settled()
    assert [len(inbox.to(one.email)) for one in (officer, nurse, breaker)] == [1, 0, 0]
    letter = inbox.to(officer.email)[0]
    assert letter["Subject"] == "A break-glass waits for your review"
    assert "https://clinic.example/privacy" in letter.get_content()
    assert not re.search(f"Quintavalle|{patient}|corridor", letter.get_content())


# ------------------------------------------------------------------ the letters themselves
@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_letter_is_written_in_both_languages_with_its_link_and_without_a_name(kind: str) -> None:
    both = {written(kind, language, "https://x/y", timedelta(minutes=30)) for language in ("it", "en")}
    assert len(both) == 2
    for subject, body in both:
        assert "https://x/y" in body
        assert "{" not in subject + body
    assert written(kind, "", "https://x/y", timedelta(days=7)) == written(kind, "en", "https://x/y", timedelta(days=7))


def test_a_letter_that_did_not_go_out_waits_twice_as_long_each_time_up_to_an_hour() -> None:
    seconds = [pause(tries).total_seconds() for tries in (1, 2, 3, 8, 99)]
    assert seconds == [30, 60, 120, 3600, 3600]


async def test_a_letter_travels_as_plain_text_and_says_that_it_was_written_by_a_program(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID
) -> None:
    email = fresh()
    await sign_up(bus, email)
    assert await postman.deliver() == 1
    (letter,) = inbox.to(email)
    assert letter["From"] == "Salerno <no-reply@clinic.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Content-Language"] == "it"
    assert letter["Subject"] == "Confermi il Suo indirizzo e-mail"
    assert letter.get_content_type() == "text/plain"
    assert "https://clinic.example/sign-up/confirm?token=" in letter.get_content()
    assert "Lia" not in letter.as_string()
    assert "Neri" not in letter.as_string()
    assert await postman.deliver() == 0


async def test_a_server_that_is_busy_gets_the_letter_later_and_one_that_refuses_for_good_does_not(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID, clock: MovableClock, noon: Any
) -> None:
    clock.set(noon)
    email = fresh()
    await sign_up(bus, email)
    inbox.answers = ["451 later"]
    assert await postman.deliver() == 0
    assert await postman.deliver() == 0
    clock.set(noon + timedelta(seconds=31))
    assert await postman.deliver() == 1
    other = fresh()
    await sign_up(bus, other)
    inbox.answers = ["554 never"]
    assert await postman.deliver() == 0
    async with bus.reading("identity", INSTALLATION) as tx:
        assert await tx.fetchval("SELECT doc <> '' FROM letters WHERE failed_at IS NOT NULL")
    clock.set(noon + timedelta(days=2))
    assert await Postman(bus, postman.mail).deliver() == 0
    assert inbox.to(other) == []
    async with bus.reading("identity", INSTALLATION) as tx:
        (row,) = await tx.fetch("SELECT cause, doc FROM letters WHERE failed_at IS NOT NULL")
    assert (row["cause"], row["doc"]) == ("answer 554", b"")


async def test_a_postman_who_dies_leaves_the_letter_to_the_next_one_and_it_is_the_same_letter(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID, clock: MovableClock, noon: Any
) -> None:
    clock.set(noon)
    email = fresh()
    await sign_up(bus, email)
    row = await postman._take()  # taken, sent, and then the process was killed
    assert row is not None
    async with bus.reading("identity", UUID(bytes=row["home"].bytes)) as tx:
        from salerno.contexts.identity.handlers.letters import Written
        from salerno.contexts.identity.handlers.posting import _letter

        (doc,) = await tx.open_docs("letters", [row], Written)
    await postman.mail.send(_letter(row, doc))
    assert await postman.deliver() == 0
    clock.set(noon + LEASE + timedelta(seconds=1))
    assert await postman.deliver() == 1
    first, second = inbox.to(email)
    assert first["Message-ID"] == second["Message-ID"]


async def test_without_a_server_the_letter_waits(bus: Bus, postman: Postman, home: UUID) -> None:
    email = fresh()
    await sign_up(bus, email)
    nobody_there = Postman(bus, SmtpMail("127.0.0.1", 1, "no-reply@clinic.example", security="none"))
    assert await nobody_there.deliver() == 0
    async with bus.reading("identity", INSTALLATION) as tx:
        row = await tx.fetchrow("SELECT tries, failed_at, cause FROM letters")
    assert row is not None
    assert (row["tries"], row["failed_at"], row["cause"]) == (1, None, "SMTPConnectError")


async def test_the_postman_is_woken_by_what_this_process_writes(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID
) -> None:
    email = fresh()
    running = asyncio.create_task(Postman(bus, postman.mail, look_every=60).run())
    try:
        await asyncio.sleep(0)
        await sign_up(bus, email)
        for _ in range(100):
            if inbox.to(email):
                break
            await asyncio.sleep(0.05)
        assert len(inbox.to(email)) == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_over_tls_the_account_at_the_mail_server_is_used_and_a_wrong_password_is_tried_again_later(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID, clock: MovableClock, noon: Any, tmp_path: Path
) -> None:
    clock.set(noon)
    await sign_up(bus, email := fresh())
    at_server, at_client = certificate(tmp_path)
    how = {"authenticator": inbox.authenticate, "tls_context": at_server, "auth_required": True}
    async with serving(inbox, **how) as port:
        for password, sent, cause in (("a wrong one", 0, "authentication 535"), ("the right one", 1, None)):
            mail = SmtpMail(
                "127.0.0.1", port, "no-reply@clinic.example", user="salerno", password=password, trust=at_client
            )
            assert await Postman(bus, mail).deliver() == sent
            async with bus.reading("identity", INSTALLATION) as tx:
                assert await tx.fetchval("SELECT min(cause) FROM letters") == cause
            clock.set(noon + timedelta(minutes=5))
    assert set(inbox.signed_in) == {"salerno"}
    assert len(inbox.to(email)) == 1


async def test_a_server_that_offers_no_tls_gets_nothing_where_tls_is_demanded(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID
) -> None:
    await sign_up(bus, fresh())
    async with serving(inbox) as port:
        assert await Postman(bus, SmtpMail("127.0.0.1", port, "no-reply@clinic.example")).deliver() == 0
    assert inbox.letters == []


async def test_nothing_of_a_letter_is_readable_in_the_database(bus: Bus, postman: Postman, home: UUID) -> None:
    email = fresh()
    await sign_up(bus, email)
    async with bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch("SELECT l::text AS line, doc FROM letters l")
        links = await tx.fetch("SELECT l::text AS line FROM links l")
    assert rows
    assert not any(email in row["line"] or email.encode() in row["doc"] or b"token=" in row["doc"] for row in rows)
    assert not any("token" in row["line"] for row in links)


# ------------------------------------------------------------------ signing up
async def test_iam42_an_account_is_used_only_once_its_address_was_confirmed(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID, enter: Enter
) -> None:
    email = fresh()
    made = await sign_up(bus, email)
    assert made.status == "unverified"
    patient = Person(made.user_id, email)
    with pytest.raises(AccountNotReady):
        await enter(patient)
    await postman.deliver()
    with pytest.raises(WrongPassword):
        await bus.ask(ConfirmEmail(token=inbox.token(email), password="not the one"), NOBODY)
    assert await bus.ask(ConfirmEmail(token=inbox.token(email), password=PASSWORD), NOBODY) == "active"
    assert (await enter(patient)).user.role == "PATIENT"
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmail(token=inbox.token(email), password=PASSWORD), NOBODY)


async def test_c11_anything_but_a_patient_still_waits_for_approval_after_the_address_was_confirmed(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID, enter: Enter, admin: Caller
) -> None:
    email = fresh()
    made = await sign_up(bus, email, "DOCTOR")
    await postman.deliver()
    assert await bus.ask(ConfirmEmail(token=inbox.token(email), password=PASSWORD), NOBODY) == "pending"
    with pytest.raises(AccountNotReady):
        await enter(Person(made.user_id, email))
    await bus.handle(ApproveUser(account_id=made.user_id), admin)
    assert (await enter(Person(made.user_id, email))).user.role == "DOCTOR"


async def test_an_administrator_does_not_approve_an_address_that_nobody_confirmed(
    bus: Bus, postman: Postman, home: UUID, admin: Caller
) -> None:
    made = await sign_up(bus, fresh(), "NURSE")
    await bus.handle(ApproveUser(account_id=made.user_id), admin)
    assert (await bus.ask(UserById(account_id=made.user_id), admin)).status == "unverified"


async def test_a_founder_confirms_the_address_before_anything_else(
    bus: Bus, postman: Postman, inbox: Inbox, policy: Callable[..., SignInPolicy], enter: Enter
) -> None:
    policy(mails=True, development=True, issuer="https://clinic.example")
    email = fresh()
    wish = RegisterFounder(email=email, password=PASSWORD, given_name="Pia", family_name="Rossi")
    made: Registered = await bus.ask(wish, from_elsewhere())
    assert made.status == "unverified"
    await postman.deliver()
    assert await bus.ask(ConfirmEmail(token=inbox.token(email), password=PASSWORD), NOBODY) == "active"
    assert (await enter(Person(made.user_id, email))).user.role == "ADMIN"


async def test_t003_whoever_signs_up_with_a_taken_address_is_answered_alike_and_its_owner_gets_a_letter(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID, person: Make, enter: Enter
) -> None:
    owner = await person()
    taken, free = await sign_up(bus, owner.email, password=NEW), await sign_up(bus, fresh(), password=NEW)
    assert (taken.status, taken.role) == (free.status, free.role)
    assert taken.user_id != owner.account
    await postman.deliver()
    (letter,) = inbox.to(owner.email)
    assert letter["Subject"] == "You have an account already"
    assert "token=" not in letter.get_content()
    assert (await enter(owner)).user.user_id == owner.account


async def test_who_signed_up_with_somebody_elses_address_does_not_get_the_account_that_its_owner_confirms(
    bus: Bus, postman: Postman, inbox: Inbox, home: UUID, enter: Enter
) -> None:
    email = fresh()
    made = await sign_up(bus, email, password="the password of an attacker")
    await sign_up(bus, email, password=NEW)
    await postman.deliver()
    with pytest.raises(LinkOver):
        await bus.ask(ConfirmEmail(token=inbox.token(email, 0), password=NEW), NOBODY)
    assert await bus.ask(ConfirmEmail(token=inbox.token(email, 1), password=NEW), NOBODY) == "active"
    with pytest.raises(WrongCredentials):
        await enter(Person(made.user_id, email), "the password of an attacker")
    assert await enter(Person(made.user_id, email), NEW)


async def test_no_mailbox_is_filled_by_strangers(bus: Bus, postman: Postman, inbox: Inbox, person: Make) -> None:
    owner = await person()
    for _ in range(8):
        await ask_reset(bus, owner.email)
    await postman.deliver()
    assert len(inbox.to(owner.email)) == 3


# ------------------------------------------------------------------ another password
async def test_t010_a_reset_link_works_once_and_ends_every_session(
    bus: Bus, postman: Postman, inbox: Inbox, person: Make, enter: Enter, behind: Behind
) -> None:
    owner = await person()
    before = await enter(owner)
    await ask_reset(bus, owner.email)
    await postman.deliver()
    token = inbox.token(owner.email)
    assert len(token) >= 43
    with pytest.raises(PasswordRefused):
        await bus.ask(ResetPassword(token=token, password="short"), NOBODY)
    await bus.ask(ResetPassword(token=token, password=NEW), NOBODY)
    assert await behind(before.token) is None
    with pytest.raises(LinkOver):
        await bus.ask(ResetPassword(token=token, password=PASSWORD), NOBODY)
    with pytest.raises(WrongCredentials):
        await enter(owner)
    assert await enter(owner, NEW)
    await postman.deliver()
    assert inbox.to(owner.email)[-1]["Subject"] == "Your password has changed"


async def test_t010_a_link_of_yesterday_an_older_one_and_one_from_before_a_change_open_nothing(
    bus: Bus, postman: Postman, inbox: Inbox, person: Make, enter: Enter, behind: Behind, clock: MovableClock, noon: Any
) -> None:
    clock.set(noon)
    owner = await person()
    for _ in range(2):
        await ask_reset(bus, owner.email)
    await postman.deliver()
    with pytest.raises(LinkOver):
        await bus.ask(ResetPassword(token=inbox.token(owner.email, 0), password=NEW), NOBODY)
    clock.set(noon + timedelta(minutes=30, seconds=1))
    with pytest.raises(LinkOver):
        await bus.ask(ResetPassword(token=inbox.token(owner.email, 1), password=NEW), NOBODY)
    await ask_reset(bus, owner.email)
    await postman.deliver()
    found = await behind((await enter(owner)).token)
    assert found is not None
    await bus.ask(ChangePassword(current=PASSWORD, new=NEW), found.caller)
    with pytest.raises(LinkOver):
        await bus.ask(ResetPassword(token=inbox.token(owner.email, 2), password=PASSWORD), NOBODY)


async def test_t010_fifty_at_once_use_a_link_once(bus: Bus, postman: Postman, inbox: Inbox, person: Make) -> None:
    owner = await person()
    await ask_reset(bus, owner.email)
    await postman.deliver()
    token = inbox.token(owner.email)

    async def attempt(nth: int) -> bool:
        try:
            await bus.ask(ResetPassword(token=token, password=f"{NEW} number {nth}"), from_elsewhere())
        except LinkOver:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(nth) for nth in range(50)))) == 1


async def test_t010_a_second_factor_is_still_asked_for_after_a_reset(
    bus: Bus, postman: Postman, inbox: Inbox, person: Make, enter: Enter, behind: Behind
) -> None:
    import pyotp

    owner = await person()
    found = await behind((await enter(owner)).token)
    assert found is not None
    secret = (await bus.ask(EnrolTotp(password=PASSWORD), found.caller)).secret
    await bus.ask(ConfirmTotp(code=pyotp.TOTP(secret).at(bus.clock.now())), found.caller)
    await ask_reset(bus, owner.email)
    await postman.deliver()
    subjects = [letter["Subject"] for letter in inbox.to(owner.email)]
    assert subjects == ["How you sign in has changed", "Choose another password"]
    await bus.ask(ResetPassword(token=inbox.token(owner.email), password=NEW), NOBODY)
    posed = await bus.ask(SignIn(email=owner.email, password=NEW), NOBODY)
    assert isinstance(posed, ChallengePosed)


async def test_t010_nobody_who_is_not_active_gets_a_reset_link(
    bus: Bus, postman: Postman, inbox: Inbox, person: Make, admin: Caller
) -> None:
    gone = await person()
    await bus.handle(DeactivateUser(account_id=gone.account), admin)
    await ask_reset(bus, gone.email)
    await ask_reset(bus, fresh())
    assert await postman.deliver() == 0


async def test_t010_an_account_that_is_deactivated_meanwhile_keeps_no_link(
    bus: Bus, postman: Postman, inbox: Inbox, person: Make, admin: Caller
) -> None:
    gone = await person()
    await ask_reset(bus, gone.email)
    await postman.deliver()
    await bus.handle(DeactivateUser(account_id=gone.account), admin)
    with pytest.raises(LinkOver):
        await bus.ask(ResetPassword(token=inbox.token(gone.email), password=NEW), NOBODY)


async def test_asking_for_links_from_one_place_has_a_limit(
    bus: Bus, policy: Callable[..., SignInPolicy], postman: Postman
) -> None:
    policy(mails=True, failures_per_address=3)
    place = Caller(actor=NOBODY.actor, organisation=INSTALLATION, address="192.0.2.77")
    for _ in range(3):
        await bus.ask(AskPasswordReset(email=fresh()), place)
    with pytest.raises(TooManyAttempts):
        await bus.ask(AskPasswordReset(email=fresh()), place)


# ------------------------------------------------------------------ invitations
async def test_an_invited_nurse_chooses_a_password_and_works(
    bus: Bus, postman: Postman, inbox: Inbox, admin: Caller, enter: Enter
) -> None:
    email = fresh()
    wish = InviteUser(email=email, given_name="Eva", family_name="Sala", role="NURSE", language="it")
    account = (await bus.handle(wish, admin)).aggregate_id
    await postman.deliver()
    assert inbox.to(email)[0]["Subject"] == "Ha ricevuto un invito"
    with pytest.raises(WrongCredentials):
        await enter(Person(account, email))
    await bus.ask(AcceptInvitation(token=inbox.token(email), password=PASSWORD), NOBODY)
    assert (await enter(Person(account, email))).user.role == "NURSE"
    with pytest.raises(LinkOver):
        await bus.ask(AcceptInvitation(token=inbox.token(email), password=NEW), NOBODY)


async def test_an_invitation_sent_again_voids_the_one_before(
    bus: Bus, postman: Postman, inbox: Inbox, admin: Caller
) -> None:
    email = fresh()
    wish = InviteUser(email=email, given_name="Eva", family_name="Sala", role="NURSE")
    account = (await bus.handle(wish, admin)).aggregate_id
    await bus.handle(InviteAgain(account_id=account), admin)
    await postman.deliver()
    with pytest.raises(LinkOver):
        await bus.ask(AcceptInvitation(token=inbox.token(email, 0), password=PASSWORD), NOBODY)
    await bus.ask(AcceptInvitation(token=inbox.token(email, 1), password=PASSWORD), NOBODY)


async def test_t001_nobody_is_invited_to_a_role_above_who_invites_nor_twice_nor_without_mail(
    bus: Bus, postman: Postman, admin: Caller, person: Make, policy: Callable[..., SignInPolicy]
) -> None:
    def wish(email: str, role: str) -> InviteUser:
        return InviteUser(email=email, given_name="Eva", family_name="Sala", role=role)

    with pytest.raises(MayNotGrant):
        await bus.handle(wish(fresh(), "SUPER_ADMIN"), admin)
    with pytest.raises(EmailTaken):
        await bus.handle(wish((await person()).email, "NURSE"), admin)
    assert await postman.deliver() == 0
    policy(mails=False)
    with pytest.raises(NoMail):
        await bus.handle(wish(fresh(), "NURSE"), admin)
