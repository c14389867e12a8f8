"""Tokens: what is not signed for this system, for this audience, now, by this algorithm, is refused."""

import base64
import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from shared.errors import Rejected
from shared.runtime import auth

PRIVATE = auth.new_key()
key = auth.load_key(json.dumps(PRIVATE))
public = auth.load_key(json.dumps(auth.public_part(PRIVATE)))
CALLER = auth.Caller("ac-1", "example-office", auth.Role.OFFICER, ("4019",))


def token(**changed):
    asked = {"iss": auth.ISSUER, "aud": auth.GATEWAY, "seconds": 60} | changed
    return auth.mint(asked.pop("key", key), CALLER, **asked)


VERIFIER = auth.Verifier(public, iss=auth.ISSUER, aud=auth.GATEWAY)


def verify(text):
    return VERIFIER.caller(text)


def test_a_token_speaks_for_its_caller():
    assert verify(token()) == CALLER


def test_a_clock_set_back_refuses_nobody(monkeypatch):
    young, later = token(), time.time()
    monkeypatch.setattr(time, "time", lambda: later - 86_400)
    assert verify(young) == verify(token()) == CALLER


def test_a_token_that_was_good_expires(monkeypatch):
    good, later = token(), time.time() + 3_600
    verify(good)
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Rejected, match="token_expired"):
        verify(good)


def unsigned():
    head, body, _ = token().split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{body}."


def signed_with_the_public_key_as_a_secret():
    secret = OctKey.import_key(json.dumps(auth.public_part(PRIVATE)))
    return jwt.encode({"alg": "HS256"}, {"iss": auth.ISSUER, "aud": auth.GATEWAY, "exp": 9_999_999_999}, secret)


def tampered():
    head, body, signature = token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"role": "auditor"}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.{signature}"


def for_no_district():
    claims = json.loads(base64.urlsafe_b64decode(token().split(".")[1] + "==")) | {"districts": []}
    return jwt.encode({"alg": auth.ALGORITHM}, claims, key, algorithms=[auth.ALGORITHM])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (for_no_district(), "token_invalid"),
        (token(seconds=-60), "token_expired"),
        (token(iss="someone-else"), "token_invalid"),
        (token(aud="siao-registry"), "token_invalid"),
        (token(key=auth.load_key(json.dumps(auth.new_key()))), "token_invalid"),
        (unsigned(), "token_invalid"),
        (signed_with_the_public_key_as_a_secret(), "token_invalid"),
        (tampered(), "token_invalid"),
        ("nonsense", "token_invalid"),
        ("", "token_invalid"),
        ("ก.ข.ค", "token_invalid"),
    ],
)
def test_everything_else_is_refused(text, code):
    with pytest.raises(Rejected) as caught:
        verify(text)
    assert caught.value.code == code


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", "Bearer "])
def test_no_token_is_told_apart_from_a_bad_one(header):
    with pytest.raises(Rejected, match="token_missing"):
        auth.bearer(header)
