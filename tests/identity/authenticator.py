"""An authenticator in software: it does what a telephone does, and, told to, what an attacker's would."""

import hashlib
import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(encoded: str) -> bytes:
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


@dataclass
class Key:
    private: ec.EllipticCurvePrivateKey
    name: bytes
    handle: bytes
    uses: int = 0


@dataclass
class Authenticator:
    """One device. `counts` says whether it keeps a counter."""

    origin: str = "https://clinic.example"
    counts: bool = True
    keys: list[Key] = field(default_factory=list)

    def _client_data(self, kind: str, challenge: str, origin: str | None) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": origin or self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def create(
        self, options: dict[str, Any], *, origin: str | None = None, challenge: str | None = None,
        rp: str | None = None, flags: int = PRESENT | VERIFIED, claim: bytes | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """`claim` is a credential id that the answer names instead of its own."""
        key = Key(ec.generate_private_key(ec.SECP256R1()), uuid4().bytes, raw(options["user"]["id"]))
        self.keys.append(key)
        point = key.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(key.name)) + key.name + cbor2.dumps(cose)
        data = self._data(rp or options["rp"]["id"], flags | ATTESTED, 0) + attested
        client = self._client_data("webauthn.create", challenge or options["challenge"], origin)
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        name = text(claim or key.name)
        response = {"clientDataJSON": text(client), "attestationObject": text(statement), "transports": ["internal"]}
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def get(
        self, options: dict[str, Any], *, key: Key | None = None, origin: str | None = None,
        challenge: str | None = None, rp: str | None = None, flags: int = PRESENT | VERIFIED,
        handle: bytes | None = None, uses: int | None = None, kind: str = "webauthn.get",
    ) -> dict[str, Any]:  # fmt: skip
        used = key or self.keys[-1]
        used.uses += 1 if self.counts else 0
        data = self._data(rp or options["rpId"], flags, used.uses if uses is None else uses)
        client = self._client_data(kind, challenge or options["challenge"], origin)
        signature = used.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature),
            "userHandle": text(used.handle if handle is None else handle),
        }  # fmt: skip
        name = text(used.name)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    @staticmethod
    def _data(rp: str, flags: int, uses: int) -> bytes:
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + struct.pack(">I", uses)
