"""The same key gets the same receipt; the same key for another wish is refused."""

import re
from uuid import UUID

import msgspec

from salerno.kernel import vault
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import Command, Receipt
from salerno.kernel.transactions import Tx

CLAIM = """
    INSERT INTO kernel.idempotency_keys (organisation, actor, route, key, fingerprint, at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true"""
RECALL = """
    SELECT fingerprint, receipt FROM kernel.idempotency_keys
    WHERE organisation = $1 AND actor = $2 AND route = $3 AND key = $4"""
KEEP = """
    UPDATE kernel.idempotency_keys SET receipt = $5
    WHERE organisation = $1 AND actor = $2 AND route = $3 AND key = $4"""

_shape = re.compile(r"[\x21-\x7e]{1,200}")


class KeyReused(Invalid):
    """An idempotency key that was used before, for another request."""

    code = "idempotency-key-reused"
    sentence = "This Idempotency-Key was used before for a different request."


async def recall(tx: Tx, actor: UUID, command: Command, key: str) -> Receipt | None:
    """The first receipt, if this wish was granted before. Otherwise the key is claimed in this transaction.

    A second request with a key whose first is still running waits here for the first to end.
    """
    if not _shape.fullmatch(key):
        raise Invalid.field("Idempotency-Key", "malformed", "1 to 200 visible ASCII characters")
    route = type(command).__name__
    keys = await tx.vault.organisation(tx.connection, tx.organisation, tx.now)
    print_ = vault.fingerprint(keys.index, msgspec.json.encode(command))
    place = (tx.organisation, actor, route, key)
    if await tx.fetchval(CLAIM, *place, print_, tx.now):
        return None
    row = await tx.fetchrow(RECALL, *place)
    if row is None or row["fingerprint"] != print_:
        raise KeyReused()
    return msgspec.json.decode(row["receipt"], type=Receipt)


async def keep(tx: Tx, actor: UUID, command: Command, key: str, receipt: Receipt) -> None:
    await tx.run(KEEP, tx.organisation, actor, type(command).__name__, key, msgspec.json.encode(receipt).decode())
