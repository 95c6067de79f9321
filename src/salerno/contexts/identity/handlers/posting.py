"""The postman: takes letters from the table one at a time and tries again until they are out or nobody wants them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from salerno.contexts.identity.events import (
    AccountCreated,
    AccountInvited,
    EmailChangeAsked,
    EmailChanged,
    MembershipOffered,
    PasswordResetAsked,
)
from salerno.contexts.identity.handlers.letters import OF_ACCESS, Written
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.letters import pause
from salerno.kernel.bus import Bus
from salerno.kernel.mail import Letter, Mail, Undelivered
from salerno.kernel.messages import INSTALLATION, Event
from salerno.kernel.rounds import go_round

LEASE = timedelta(minutes=2)  # longer than any attempt: a process that died leaves its letter to another by then
KEPT = timedelta(days=30)
LOOK_EVERY = 5.0
TIDY_EVERY = 500
WRITTEN_WITH: frozenset[type[Event]] = frozenset(
    {*OF_ACCESS, AccountCreated, AccountInvited, MembershipOffered, PasswordResetAsked, EmailChangeAsked, EmailChanged}
)
LOG = structlog.get_logger("salerno.letters")


class Postman:
    """At least once: a crash before it is crossed off sends the same letter, with the same Message-ID, again."""

    def __init__(self, bus: Bus, mail: Mail, look_every: float = LOOK_EVERY) -> None:
        self.bus, self.mail, self.look_every = bus, mail, look_every
        self._rounds = 0

    async def run(self) -> None:
        await go_round(self.bus, self.deliver, WRITTEN_WITH, self.look_every, "letters")

    async def deliver(self) -> int:
        """Every letter whose turn it is. Answers how many went out."""
        sent = 0
        while (row := await self._take()) is not None:
            sent += await self._try(row)
        return sent

    async def _take(self) -> Any:
        now = self.bus.clock.now()
        async with self.bus.reading("identity", INSTALLATION) as tx:
            if self._rounds % TIDY_EVERY == 0:
                await tx.run(SQL["forget_old_letters"], now - KEPT)
                await tx.run(SQL["empty_letters_over"], now)
                await tx.run(SQL["forget_old_links"], now - KEPT)
                await tx.run(SQL["forget_former_addresses"], now)
            self._rounds += 1
            return await tx.fetchrow(SQL["take_letter"], now, now + LEASE)

    async def _try(self, row: Any) -> bool:
        now, home = self.bus.clock.now(), UUID(bytes=row["home"].bytes)
        if row["until"] <= now:
            await self._give_up(row, "nobody waits for it any more")
            return False
        async with self.bus.reading("identity", home) as tx:
            docs = await tx.open_docs("letters", [row], Written)
        if not docs:  # the person was erased
            await self._cross_off(row)
            return False
        try:
            await self.mail.send(_letter(row, docs[0]))
        except Undelivered as undelivered:
            await self._failed(row, undelivered)
            return False
        await self._cross_off(row)
        LOG.info("letter.sent", kind=row["kind"], organisation=str(home), attempt=row["tries"])
        return True

    async def _failed(self, row: Any, undelivered: Undelivered) -> None:
        if undelivered.for_good:
            await self._give_up(row, undelivered.cause)
            return
        due = self.bus.clock.now() + pause(row["tries"])
        LOG.warning("letter.later", kind=row["kind"], attempt=row["tries"], cause=undelivered.cause)
        async with self.bus.reading("identity", INSTALLATION) as tx:
            await tx.run(SQL["letter_later"], row["id"], due, undelivered.cause)

    async def _give_up(self, row: Any, cause: str) -> None:
        LOG.error("letter.failed", kind=row["kind"], attempt=row["tries"], cause=cause)
        async with self.bus.reading("identity", INSTALLATION) as tx:
            await tx.run(SQL["letter_failed"], row["id"], self.bus.clock.now(), cause)

    async def _cross_off(self, row: Any) -> None:
        async with self.bus.reading("identity", INSTALLATION) as tx:
            await tx.run(SQL["letter_sent"], row["id"])


def _letter(row: Any, doc: Written) -> Letter:
    return Letter(
        id=UUID(bytes=row["id"].bytes),
        to=doc.to,
        subject=doc.subject,
        body=doc.body,
        language=doc.language,
        written_at=row["written_at"],
    )
