"""letters: what waits for the mail server, what it refused, and what to do about it."""

from uuid import UUID

import click

from salerno.contexts.identity.commands.outbox import DropLetter, LetterLine, Letters, RetryLetters
from salerno.interfaces.cli.house import OUT, open_house, operator, verb
from salerno.kernel.messages import INSTALLATION


@click.group()
def letters() -> None:
    """E-mails that are not out yet, or did not go out."""


@letters.command("list")
@click.option("--failed", is_flag=True, help="Only those that nobody tries any more.")
@click.option("--addresses", is_flag=True, help="Also to whom. The access log says that you looked.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@verb
async def list_(failed: bool, addresses: bool, limit: int) -> None:
    """Kind, state and cause of each letter, oldest first: nothing of what it says."""
    async with open_house() as house:
        query = Letters(failed=failed, addresses=addresses, limit=limit)
        found: list[LetterLine] = await house.bus.ask(query, operator(house, INSTALLATION))
    for one in found:
        OUT.print(_said(one), soft_wrap=True)
    if not found:
        OUT.print("No letters.")


def _said(one: LetterLine) -> str:
    written, due = (at.isoformat(timespec="seconds") for at in (one.written_at, one.due_at))
    state = f"tried {one.tries}×, next {due}" if one.status == "waiting" else f"tried {one.tries}×"
    cause = f"  {one.cause}" if one.cause else ""
    to = f"  to {one.to}" if one.to else ""
    return f"{one.letter}  {one.status:8}{one.kind:18}{written}  {state}{cause}{to}"


@letters.command("retry")
@click.argument("letter", type=click.UUID, required=False)
@verb
async def retry(letter: UUID | None) -> None:
    """Try one letter again at once, or all that failed. The running server sends them within seconds."""
    async with open_house() as house:
        count = await house.bus.ask(RetryLetters(letter_id=letter), operator(house, INSTALLATION))
    OUT.print(f"{count} to be tried again.")


@letters.command("drop")
@click.argument("letter", type=click.UUID)
@verb
async def drop(letter: UUID) -> None:
    """Never send this letter. What it tells about stays as it is."""
    async with open_house() as house:
        await house.bus.ask(DropLetter(letter_id=letter), operator(house, INSTALLATION))
    OUT.print("Dropped.")


VERBS = (letters,)
