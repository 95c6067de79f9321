"""Letters that are not out: an operator sees which and why, and not to whom unless that is put on record."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tests.identity.conftest import NOBODY, Person

from salerno.contexts.identity.commands.letters import AskPasswordReset
from salerno.contexts.identity.commands.outbox import DropLetter, LetterLine, Letters, RetryLetters
from salerno.contexts.identity.errors import LetterOver, NoSuchLetter
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed
from salerno.kernel.mail import Letter, Undelivered
from salerno.kernel.messages import INSTALLATION, OPERATOR, Caller
from salerno.kernel.testing import MovableClock

Make = Callable[..., Awaitable[Person]]
Ask = Callable[..., Awaitable[list[LetterLine]]]


class Server:
    """A mail server that takes letters, or refuses each for good."""

    def __init__(self) -> None:
        self.refuses, self.taken = False, list[Letter]()

    async def send(self, letter: Letter) -> None:
        if self.refuses:
            raise Undelivered("answer 554", for_good=True)
        self.taken.append(letter)


@pytest.fixture
async def server(bus: Bus, policy: Callable[..., SignInPolicy]) -> Server:
    policy(mails=True, issuer="https://clinic.example")
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run("DELETE FROM letters")
        await tx.run("DELETE FROM attempts")
    return Server()


@pytest.fixture
def operator(bus: Bus) -> Caller:
    return Caller(
        actor=OPERATOR, organisation=INSTALLATION, permissions=frozenset(bus.permissions()), address="console",
        purpose="operations",
    )  # fmt: skip


async def looks(bus: Bus, organisation: UUID) -> list[tuple[str, list[UUID]]]:
    async with bus.database.owner() as owner:
        await owner.execute("SET ROLE salerno_ledger")
        rows = await owner.fetch(
            "SELECT action, subjects FROM kernel.access_log WHERE organisation = $1 AND category = 'letters' "
            "ORDER BY position",
            organisation,
        )
    return [(row["action"], list(row["subjects"])) for row in rows]


async def test_what_failed_is_listed_with_its_cause_and_without_an_address(
    bus: Bus, server: Server, operator: Caller, person: Make, organisation: UUID
) -> None:
    nurse, server.refuses = await person(), True
    await bus.ask(AskPasswordReset(email=nurse.email), NOBODY)
    (waiting,) = await bus.ask(Letters(), operator)
    assert (waiting.kind, waiting.status, waiting.tries, waiting.to) == ("reset", "waiting", 0, "")
    assert await bus.ask(Letters(failed=True), operator) == []
    await Postman(bus, server).deliver()
    (failed,) = await bus.ask(Letters(failed=True), operator)
    assert (failed.status, failed.tries, failed.cause, failed.to) == ("failed", 1, "answer 554", "")
    assert failed.organisation == organisation
    assert await looks(bus, organisation) == []


async def test_an_address_is_shown_where_it_is_asked_for_and_the_access_log_says_so(
    bus: Bus, server: Server, operator: Caller, person: Make, organisation: UUID
) -> None:
    nurse = await person()
    await bus.ask(AskPasswordReset(email=nurse.email), NOBODY)
    (line,) = await bus.ask(Letters(addresses=True), operator)
    assert line.to == nurse.email
    assert await looks(bus, organisation) == [("Letters", [nurse.account])]


async def test_what_failed_is_sent_when_the_server_is_mended(
    bus: Bus, server: Server, operator: Caller, person: Make, organisation: UUID
) -> None:
    nurse, colleague, server.refuses = await person(), await person(), True
    for who in (nurse, colleague):
        await bus.ask(AskPasswordReset(email=who.email), NOBODY)
    await Postman(bus, server).deliver()
    server.refuses = False
    assert await Postman(bus, server).deliver() == 0
    assert await bus.ask(RetryLetters(), operator) == 2
    assert await Postman(bus, server).deliver() == 2
    assert {letter.to for letter in server.taken} == {nurse.email, colleague.email}
    assert await bus.ask(Letters(), operator) == []
    assert await looks(bus, organisation) == [("RetryLetters", sorted([nurse.account, colleague.account]))]


async def test_one_letter_is_tried_again_at_once_while_others_wait(
    bus: Bus, server: Server, operator: Caller, person: Make
) -> None:
    nurse, colleague = await person(), await person()
    server.refuses = True
    for who in (nurse, colleague):
        await bus.ask(AskPasswordReset(email=who.email), NOBODY)
    await Postman(bus, server).deliver()
    server.refuses = False
    first = (await bus.ask(Letters(), operator))[0]
    assert await bus.ask(RetryLetters(letter_id=first.letter), operator) == 1
    assert await Postman(bus, server).deliver() == 1
    assert [one.status for one in await bus.ask(Letters(), operator)] == ["failed"]


async def test_a_letter_whose_link_is_over_is_not_sent_and_not_kept(
    bus: Bus, server: Server, operator: Caller, person: Make, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    nurse, server.refuses = await person(), True
    await bus.ask(AskPasswordReset(email=nurse.email), NOBODY)
    await Postman(bus, server).deliver()
    clock.set(noon + timedelta(minutes=31))
    (line,) = await bus.ask(Letters(), operator)
    assert line.status == "over"
    with pytest.raises(LetterOver):
        await bus.ask(RetryLetters(letter_id=line.letter), operator)
    assert await bus.ask(RetryLetters(), operator) == 0
    await Postman(bus, server).deliver()
    async with bus.reading("identity", INSTALLATION) as tx:
        assert await tx.fetchval("SELECT doc FROM letters") == b""
    assert [one.to for one in await bus.ask(Letters(addresses=True), operator)] == [""]


async def test_a_dropped_letter_is_never_sent(
    bus: Bus, server: Server, operator: Caller, person: Make, organisation: UUID
) -> None:
    nurse = await person()
    await bus.ask(AskPasswordReset(email=nurse.email), NOBODY)
    (line,) = await bus.ask(Letters(), operator)
    await bus.ask(DropLetter(letter_id=line.letter), operator)
    assert await Postman(bus, server).deliver() == 0
    assert server.taken == []
    assert await looks(bus, organisation) == [("DropLetter", [nurse.account])]
    for wish in (DropLetter(letter_id=line.letter), RetryLetters(letter_id=uuid4())):
        with pytest.raises(NoSuchLetter):
            await bus.ask(wish, operator)


async def test_no_role_may_look_at_letters(bus: Bus, server: Server, caller: Callable[..., Caller]) -> None:
    for role in ("SUPER_ADMIN", "ADMIN", "DOCTOR", "PATIENT"):
        for wish in (Letters(), RetryLetters(), DropLetter(letter_id=uuid4())):
            with pytest.raises(NotAllowed):
                await bus.ask(wish, caller(role))
