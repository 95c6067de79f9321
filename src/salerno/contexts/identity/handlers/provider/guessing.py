"""Guesses at a program's secret: counted before one is looked at, for each program and place."""

from base64 import b64decode
from urllib.parse import unquote_plus

from salerno.contexts.identity.commands.provider import AskProvider
from salerno.contexts.identity.errors import TooManyAttempts
from salerno.contexts.identity.handlers import counting
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.kernel.addresses import place_of
from salerno.kernel.desk import Desk
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.transactions import Tx

KIND = "client-secret"
MOST = 100  # in a window: a request under way counts until its program has proved itself, and programs ask in parallel


def who_shows_a_secret(errand: AskProvider) -> str | None:
    """The program that a secret is shown for; None where none is shown. A signed assertion cannot be guessed."""
    scheme, _, given = errand.authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return unquote_plus(b64decode(given, validate=True).decode().partition(":")[0])
        except ValueError:
            return ""  # whatever it is, it counts
    form = dict(errand.form)
    return form.get("client_id", "") if "client_secret" in form else None


async def count_secret(desk: Desk, client: str, caller: Caller) -> int:
    """One more try, in a transaction of its own. Answers what stands for it, for `forget_secrets_tried`.

    Others cannot lock a program out: what they try from elsewhere counts there.
    """
    policy = policy_of(desk.bus)

    async def work(tx: Tx) -> tuple[int, int]:
        (token,) = await tx.tokens(KIND, f"{place_of(caller.address)} {client}")
        return token, await counting.count(tx, KIND, token, MOST, policy, endless=True)

    token, wait = await desk.within(INSTALLATION, work)
    if wait:
        raise TooManyAttempts(retry_after=wait)
    return token


async def forget_secrets_tried(desk: Desk, token: int) -> None:
    await desk.within(INSTALLATION, lambda tx: counting.clear(tx, KIND, token))
