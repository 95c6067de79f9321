"""Tokens of a grant: a session of its own, so that ending sessions ends it; rotated refresh tokens; the id token."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from salerno.contexts.identity.handlers.choices import made_among
from salerno.contexts.identity.handlers.keys import TYPE
from salerno.contexts.identity.handlers.opening import Place, new_token
from salerno.contexts.identity.handlers.provider.clients import Client
from salerno.contexts.identity.handlers.provider.talk import GRANT_LIFE, ID_TOKEN_LIFE, Grounds, Talk
from salerno.contexts.identity.handlers.standing import as_member
from salerno.contexts.identity.projections import ACCOUNTS, MEMBERS, SQL, AccountView
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.methods import level_of
from salerno.contexts.identity.rules.scopes import split
from salerno.contexts.identity.rules.standing import names_of, shares_of
from salerno.kernel.messages import INSTALLATION
from salerno.kernel.transactions import Tx

GRANTED, SERVICE = "oidc", "service"
SERVICE_LIFE = timedelta(minutes=5)
OFFLINE = "offline_access"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as an organisation knows them: `roles` are those that give them something there, made ones too."""

    view: AccountView
    organisation: UUID
    roles: tuple[str, ...]


async def person_of(talk: Talk, home: UUID, account: UUID, acting: UUID | None) -> Person | None:
    """Whoever has this account, where it acts; None where they may no longer come in."""
    async with talk.tx.inside(home) as there:
        held = await ACCOUNTS.get(there, account)
        if held is None or held.doc.status != "active":
            return None
        if acting is None:
            return await _known(there, held.doc)
    async with talk.tx.inside(acting) as there:
        member = await MEMBERS.get(there, account)
        if member is None or member.doc.status != "active":
            return None
        return await _known(there, as_member(held.doc, member.doc))


async def _known(tx: Tx, view: AccountView) -> Person:
    made = {name: role.held for name, role in (await made_among(tx, view.roles)).items()}
    shares = shares_of(view.role, view.also, view.instead, made, alone=False)
    return Person(view, tx.organisation, names_of(shares))


async def issue(talk: Talk, client: Client, grounds: Grounds, scope: str) -> dict[str, Any] | None:
    """The answer of the token endpoint. None where the account may no longer come in."""
    person = await person_of(talk, grounds.home, grounds.account, grounds.acting)
    if person is None:
        return None
    renewing = talk.session
    session = renewing or await open_grant(talk, client, grounds)
    seconds = int(talk.policy.access_token.total_seconds())
    access = access_token(talk, client, session, scope, grounds.audience, seconds, person)
    answer: dict[str, Any] = {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": scope,
    }
    if OFFLINE in split(grounds.scope):
        answer["refresh_token"] = await next_refresh_token(talk, session)
    if "openid" in split(scope):
        answer["id_token"] = id_token(talk, client, grounds, access, person, scope)
    return answer | launch_context(grounds)


def launch_context(grounds: Grounds) -> dict[str, Any]:
    """What a SMART application is told of where it was opened."""
    told: dict[str, Any] = {}
    if grounds.patient is not None:
        told = {"patient": str(grounds.patient), "need_patient_banner": True}
    if grounds.encounter is not None:
        told["encounter"] = str(grounds.encounter)
    return told


async def open_grant(talk: Talk, client: Client, grounds: Grounds) -> UUID:
    """A session for the program, listed among its owner's and ended with the browser's."""
    tx, session = talk.tx, talk.tx.new_id()
    async with tx.inside(grounds.home) as there:
        place = await there.seal_doc(
            "sessions", session, grounds.account, Place(talk.caller.address, client.terms.name)
        )
    lasting = talk.policy.refresh_token if OFFLINE in split(grounds.scope) else talk.policy.access_token
    await tx.run(
        SQL["put_session"], session, grounds.home, grounds.account, GRANTED, None, new_token(), grounds.factor,
        talk.now, talk.now + lasting, place, [],
    )  # fmt: skip
    await tx.run(
        SQL["put_grant"], session, grounds.parent, client.id, grounds.home, grounds.account, grounds.scope,
        grounds.audience, grounds.patient, grounds.encounter, grounds.auth_time, grounds.factor,
        list(grounds.shown),
    )  # fmt: skip
    await tx.run(SQL["inherit_vouching"], session, grounds.parent)
    if grounds.acting is not None:
        await tx.run(SQL["act_in"], session, grounds.account, grounds.acting)
    return session


async def issue_to_service(talk: Talk, client: Client, scope: str) -> dict[str, Any]:
    """A token for a program that acts for itself, in its own organisation."""
    tx, session = talk.tx, talk.tx.new_id()
    place = await tx.seal_doc("sessions", session, INSTALLATION, Place(talk.caller.address, client.id))
    seconds = int(SERVICE_LIFE.total_seconds())
    audience = talk.policy.audience
    await tx.run(
        SQL["put_session"], session, client.home, client.service, SERVICE, None, new_token(), False,
        talk.now, talk.now + SERVICE_LIFE, place, [],
    )  # fmt: skip
    await tx.run(
        SQL["put_grant"], session, None, client.id, client.home, None, scope, audience, None, None, talk.now, False, []
    )
    access = access_token(talk, client, session, scope, audience, seconds, None)
    return {"access_token": access, "token_type": "Bearer", "expires_in": seconds, "scope": scope}


def access_token(
    talk: Talk, client: Client, session: UUID, scope: str, audience: str, seconds: int, person: Person | None
) -> str:
    """Signed (RFC 9068). Its scope is what it may do at most; the rest is looked up when it is used."""
    issued = int(talk.now.timestamp())
    claims: dict[str, Any] = {
        "iss": talk.issuer,
        "sub": str(person.view.account if person else client.service),
        "aud": audience,
        "iat": issued,
        "exp": issued + seconds,
        "jti": new_token(),
        "sid": str(session),
        "client_id": client.id,
        "scope": scope,
    }
    if person is not None:
        claims |= {"role": person.view.role, "roles": person.roles, "org": str(person.organisation)}
    return talk.sign(claims, TYPE)


async def next_refresh_token(talk: Talk, session: UUID) -> str:
    """The first is drawn; each further one follows from the one before, so that a lost answer can be given again."""
    tx = talk.tx
    token = await successor(talk, talk.refreshed) if talk.refreshed else new_token()
    until = talk.now + talk.policy.refresh_token
    await tx.run(SQL["put_next_refresh_token"], token_hash(token), session, until)
    await tx.run(SQL["prolong_grant"], session, until, GRANT_LIFE)
    return token


async def successor(talk: Talk, token: str) -> str:
    """What follows a refresh token, by a key that only we hold: 256 bits, the same each time."""
    parts = await talk.tx.tokens("refresh", *(f"{nth}:{token}" for nth in range(4)))
    return base64.urlsafe_b64encode(b"".join(part.to_bytes(8, "big", signed=True) for part in parts)).decode()[:43]


def id_token(talk: Talk, client: Client, grounds: Grounds, access: str, person: Person, scope: str) -> str:
    issued = int(talk.now.timestamp())
    half = hashlib.sha256(access.encode("ascii")).digest()[:16]
    claims: dict[str, Any] = {
        "iss": talk.issuer,
        "sub": str(person.view.account),
        "aud": client.id,
        "iat": issued,
        "exp": issued + int(ID_TOKEN_LIFE.total_seconds()),
        "auth_time": int(grounds.auth_time.timestamp()),
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        "sid": str(grounds.parent),
    }
    if grounds.shown:
        claims |= {"amr": grounds.shown, "acr": level_of(grounds.shown)}
    if grounds.nonce:
        claims["nonce"] = grounds.nonce
    return talk.sign(claims | person_claims(talk, person, scope), "JWT")


def person_claims(talk: Talk, person: Person, scope: str) -> dict[str, Any]:
    """Who somebody is, as far as these scopes tell."""
    view, held = person.view, split(scope)
    told: dict[str, Any] = {"sub": str(view.account)}
    if "profile" in held:
        told |= {"name": view.full_name, "given_name": view.given_name, "family_name": view.family_name}
        told |= {"role": view.role, "roles": person.roles, "org": str(person.organisation)}
        if view.language:
            told["locale"] = view.language
    if "email" in held:
        told["email"] = view.email
    if "fhirUser" in held and (view.patient or view.staff):
        told["fhirUser"] = (
            f"{talk.fhir}/Patient/{view.patient}" if view.patient else (f"{talk.fhir}/Practitioner/{view.staff}")
        )
    return told
