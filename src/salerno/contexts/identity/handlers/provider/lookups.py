"""Codes and tokens as they are found again: locked, checked against their grant, and spent."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from salerno.contexts.identity.events import SignedOut
from salerno.contexts.identity.handlers.keys import verified_claims
from salerno.contexts.identity.handlers.opening import note
from salerno.contexts.identity.handlers.provider.clients import Client
from salerno.contexts.identity.handlers.provider.talk import Grounds, Talk
from salerno.contexts.identity.handlers.provider.tokens import person_of, successor
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.rules.codes import token_hash


def uuid_of(value: Any) -> UUID:
    return UUID(bytes=value.bytes)


# ------------------------------------------------------------------ codes
async def code(talk: Talk, presented: str, client: Client) -> Grounds | None:
    """What a code stands for, once. A second use ends what the first one gave."""
    hash = token_hash(presented)
    row = await talk.tx.fetchrow(SQL["lock_code"], hash)
    if row is None or row["client"] != client.id:
        return None
    if row["used_at"] is not None:
        if row["granted"] is not None:
            await end_grant(talk, uuid_of(row["granted"]), "a code was used twice")
        return None
    (grounds,) = await talk.tx.open_docs("codes", [row], Grounds)
    if row["expires_at"] <= talk.now or not await _parent_lives(talk, grounds.parent):
        return None
    talk.used = hash
    return grounds


async def _parent_lives(talk: Talk, parent: UUID) -> bool:
    return bool(await talk.tx.fetchval(SQL["lives"], parent))


async def spend_code(talk: Talk, made: dict[str, Any]) -> None:
    claims = verified_claims(made["access_token"], talk.ring, talk.policy, talk.now)
    assert claims is not None
    await talk.tx.run(SQL["spend_code"], talk.used, talk.now, UUID(claims["sid"]))


# ------------------------------------------------------------------ refresh tokens
@dataclass(frozen=True, slots=True)
class FoundRefresh:
    grounds: Grounds
    client_id: str


async def refresh_token(talk: Talk, presented: str) -> FoundRefresh | None:
    """The grant behind a refresh token, under its lock."""
    row = await talk.tx.fetchrow(SQL["lock_refresh_token"], token_hash(presented))
    if row is None or row["kind"] != "oidc":
        return None
    session = uuid_of(row["session"])
    grant = await talk.tx.fetchrow(SQL["grant"], session)
    if grant is None:
        return None
    talk.session = session
    return FoundRefresh(_grounds(grant), grant["client"])


def _grounds(grant: Any) -> Grounds:
    return Grounds(
        home=uuid_of(grant["home"]),
        account=uuid_of(grant["account"]),
        parent=uuid_of(grant["parent"] or grant["session"]),
        acting=grant["acting"] and uuid_of(grant["acting"]),
        scope=grant["scope"],
        audience=grant["audience"],
        auth_time=grant["auth_time"],
        factor=grant["factor"],
        shown=tuple(grant["shown"]),
        patient=grant["patient"] and uuid_of(grant["patient"]),
        encounter=grant["encounter"] and uuid_of(grant["encounter"]),
    )


async def spend_refresh_token(talk: Talk, presented: str) -> bool:
    """Whether it may be renewed. Used again it gives the same successor for a moment, and later ends the grant."""
    hash = token_hash(presented)
    row = await talk.tx.fetchrow(SQL["lock_refresh_token"], hash)
    assert row is not None and talk.session is not None
    grant = await talk.tx.fetchrow(SQL["grant"], talk.session)
    if grant is None or not _lives(grant, talk) or row["expires_at"] <= talk.now:
        return False
    if row["spent_at"] is not None and not await _answer_was_lost(talk, presented, talk.now - row["spent_at"]):
        await end_grant(talk, talk.session, "refresh token used twice")
        return False
    await talk.tx.run(SQL["spend_refresh_token"], hash, talk.now)
    talk.refreshed = presented
    return True


async def _answer_was_lost(talk: Talk, presented: str, ago: timedelta) -> bool:
    """A moment ago, and nobody has used what came of it."""
    if ago > talk.policy.refresh_grace:
        return False
    next_hash = token_hash(await successor(talk, presented))
    return bool(await talk.tx.fetchval(SQL["is_unspent"], next_hash))


def _lives(grant: Any, talk: Talk) -> bool:
    return grant["ended_at"] is None and grant["parent_ended_at"] is None and bool(grant["expires_at"] > talk.now)


async def end_grant(talk: Talk, session: UUID, reason: str) -> None:
    """Its tokens hold nowhere any more; the account's history says why."""
    row = await talk.tx.fetchrow(SQL["end_grant"], session, talk.now)
    if row is not None and row["account"] is not None:
        account = uuid_of(row["account"])
        async with talk.tx.inside(uuid_of(row["home"])) as there:
            await note(there, account, SignedOut(account=account, session=session, reason=reason))


# ------------------------------------------------------------------ any token, for introspection and revocation
@dataclass(frozen=True, slots=True)
class Token:
    """A token of ours that still holds."""

    session: UUID
    client_id: str
    home: UUID
    claims: dict[str, Any]

    def check_client(self, client: Client) -> bool:
        return client.id == self.client_id

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False

    def described(self, talk: Talk) -> dict[str, Any]:
        return {"active": True, "iss": talk.issuer, "client_id": self.client_id, **self.claims}


async def any_token(talk: Talk, presented: str) -> Token | None:
    """An access or a refresh token of the provider; what is no longer good is none."""
    claims = verified_claims(presented, talk.ring, talk.policy, talk.now)
    if claims is not None:
        return await _of_access(talk, claims)
    row = await talk.tx.fetchrow(SQL["lock_refresh_token"], token_hash(presented))
    if row is None or row["kind"] != "oidc" or row["spent_at"] is not None or row["expires_at"] <= talk.now:
        return None
    grant = await talk.tx.fetchrow(SQL["grant"], row["session"])
    if grant is None or not await _good(talk, grant):
        return None
    told = {
        "sub": str(grant["account"]),
        "scope": grant["scope"],
        "exp": int(row["expires_at"].timestamp()),
        "token_type": "refresh_token",
    }
    return Token(uuid_of(row["session"]), grant["client"], uuid_of(grant["home"]), told)


async def _of_access(talk: Talk, claims: dict[str, Any]) -> Token | None:
    try:
        session = UUID(claims["sid"])
    except (ValueError, TypeError, AttributeError):
        return None
    grant = await talk.tx.fetchrow(SQL["grant"], session)
    if grant is None or not await _good(talk, grant):
        return None
    told: dict[str, Any] = {
        name: claims[name] for name in ("sub", "aud", "exp", "iat", "scope", "sid", "jti") if name in claims
    }
    told |= {"token_type": "Bearer"}
    told |= {name: claims[name] for name in ("role", "roles", "org") if name in claims}
    if grant["patient"] is not None:
        told["patient"] = str(grant["patient"])
    if grant["encounter"] is not None:
        told["encounter"] = str(grant["encounter"])
    return Token(session, grant["client"], uuid_of(grant["home"]), told)


async def _good(talk: Talk, grant: Any) -> bool:
    if not _lives(grant, talk) or await talk.client(grant["client"]) is None:
        return False
    if grant["account"] is None:
        return True
    acting = grant["acting"] and uuid_of(grant["acting"])
    return await person_of(talk, uuid_of(grant["home"]), uuid_of(grant["account"]), acting) is not None


async def revoke(talk: Talk, token: Token) -> None:
    """The whole grant: an access token that is taken back takes its refresh token along."""
    await end_grant(talk, token.session, "given back by the application")
