"""Tokens: signed, short, and good for one audience.

A caller's token is signed by the issuer and taken by the gateway; the gateway signs one of its own for each service.
RFC 7519 (JWT) with RFC 8037 (Ed25519); algorithm, issuer and audience are pinned (RFC 8725 §3.1, §3.8, §3.9).
"""

import json
import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OKPKey

from shared.errors import Misconfigured, Rejected

ALGORITHM = "Ed25519"
ISSUER = "siao"
GATEWAY = "siao-gateway"
INTERNAL_SECONDS = 60
"""Life of a token that the gateway mints for a service."""
LEEWAY_SECONDS = 5
TOKENS = 4_096
"""Whose signature is remembered; a kilobyte each."""


class Role(StrEnum):
    AGENCY = "agency"
    OFFICER = "officer"
    WORKING_GROUP = "working_group"
    SECRETARIAT = "secretariat"
    GOVERNOR = "governor"
    AUDITOR = "auditor"
    RESEARCHER = "researcher"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an actor's id (never a name), of an agency, in a role, perhaps only for some districts."""

    actor: str
    agency: str
    role: Role
    districts: tuple[str, ...] = field(default=())


def new_key() -> dict[str, str | list[str]]:
    """A fresh Ed25519 key pair as a private JWK."""
    return dict(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))


def public_part(jwk: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
    return {name: value for name, value in jwk.items() if name != "d"}


def load_key(text: str) -> OKPKey:
    """The key in a JWK file. Raises Misconfigured when the text is none."""
    try:
        return OKPKey.import_key(json.loads(text))
    except (ValueError, JoseError) as error:
        raise Misconfigured("a key file does not hold an Ed25519 JWK") from error


def service_audience(service: str) -> str:
    return f"siao-{service}"


def mint(key: OKPKey, caller: Caller, *, iss: str, aud: str, seconds: int) -> str:
    """A token for `caller` that lives `seconds` seconds from now."""
    now = int(time.time())
    claims: dict[str, str | int | list[str]] = {
        "iss": iss,
        "aud": aud,
        "sub": caller.actor,
        "agency": caller.agency,
        "role": caller.role.value,
        "iat": now,
        "exp": now + seconds,
        "jti": secrets.token_hex(8),
    }
    if caller.districts:
        claims["districts"] = list(caller.districts)
    return jwt.encode({"alg": ALGORITHM}, claims, key, algorithms=[ALGORITHM])


class Verifier:
    """Tells whom tokens speak for that `key` signed, of one issuer and for one audience. What a token says is always
    the same, so it is looked at once; whether it has expired, each time.

    When it was issued is not looked at: RFC 7519 (4.1.6) asks for no such check, and a machine whose clock was set back
    would refuse everybody.
    """

    def __init__(self, key: OKPKey, *, iss: str, aud: str) -> None:
        self._key = key
        self._registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": iss},
            aud={"essential": True, "value": aud},
            exp={"essential": True},
        )
        self._once = lru_cache(TOKENS)(self._told)

    def caller(self, token: str) -> Caller:
        """Raises Rejected token_expired or token_invalid."""
        try:
            caller, expires = self._once(token)
        except ExpiredTokenError as error:
            raise Rejected("token_expired") from error
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Rejected("token_invalid") from error
        if expires <= time.time() - LEEWAY_SECONDS:
            raise Rejected("token_expired")
        return caller

    def _told(self, token: str) -> tuple[Caller, int]:
        """Whom it speaks for, until which second."""
        claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        self._registry.validate({name: value for name, value in claims.items() if name != "iat"})
        districts = _districts(claims.get("districts"))
        return Caller(str(claims["sub"]), str(claims["agency"]), Role(claims["role"]), districts), claims["exp"]


def _districts(claim: list[str] | None) -> tuple[str, ...]:
    """No claim: every district. Raises ValueError for an empty one, which means none and must not become all."""
    if claim == []:
        raise ValueError("for no district")
    return tuple(claim or ())


def bearer(authorization: str | None) -> str:
    """The token in an Authorization header. Raises Rejected token_missing."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Rejected("token_missing")
    return token.strip()
