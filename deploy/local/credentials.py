"""Every password and key of a stack: made at its first start, readable by its owner only, never a default.

secrets/passwords.json     {"postgres": {user: password}, "kafka": {user: password}}: the launcher's alone
secrets/issuer.key.json    signs callers' tokens: the launcher's alone
secrets/auditor.properties for Kafka's own clients, to read every topic and write none
secrets/<service>/         what SIAO_SECRETS of that service points to, and no more than it needs
"""

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from pathlib import Path

from joserfc.jwk import OKPKey

from deploy.local.home import Home, read_json, write_json, write_private
from deploy.local.trouble import Trouble
from shared.events.topics import AUDITOR, EVENT_TOPICS, PRINCIPALS
from shared.runtime import auth

WRITERS = tuple(EVENT_TOPICS)
SERVICES = (*WRITERS, "projections", "gateway")
SEALERS = ("registry", "pairing")
"""Services that hold personal details, and so the key that wraps the keys of persons."""
PASSWORDS, ISSUER, CLIENT = "passwords.json", "issuer.key.json", "auditor.properties"

IRREPLACEABLE = (PASSWORDS, "kek", "body.key")
"""Losing one of these loses data, so an existing stack never makes them anew."""


def make(folder: Path, *, holds_data: bool) -> None:
    """Makes what is missing in a secrets folder; safe to repeat after a crash at any point.

    Raises Trouble when the stack holds data and a key without which that data cannot be read is gone.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    missing = [name for name in IRREPLACEABLE if not (folder / name).exists()]
    if holds_data and missing:
        raise Trouble(
            f"{folder / missing[0]} is gone and the stored data cannot be read without it: put it back from a backup.",
            f"ไฟล์ {folder / missing[0]} หายไป และอ่านข้อมูลเดิมไม่ได้หากไม่มีไฟล์นี้ โปรดนำกลับมาจากไฟล์สำรอง",
        )
    if (known := passwords(folder)) != (complete := _passwords(known)):
        write_json(folder / PASSWORDS, complete)
    for name in ("kek", "body.key"):
        _once(folder / name, lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    for name in ("issuer", "gateway"):
        _once(folder / f"{name}.key.json", lambda: json.dumps(auth.new_key()))
    _once(folder / CLIENT, lambda: _client_properties(passwords(folder)["kafka"][AUDITOR]))
    for service, names in _needs().items():
        _hand_out(folder, service, names)


def passwords(folder: Path) -> dict[str, dict[str, str]]:
    return read_json(folder / PASSWORDS)


def fingerprint(folder: Path) -> str:
    """Names the keys that seal stored data, and tells nothing of them."""
    mark = hmac.digest((folder / "kek").read_bytes(), b"siao keys", "sha256")
    return f"sealed with keys {mark.hex()[:16]}"


def issuer(folder: Path) -> OKPKey:
    return auth.load_key((folder / ISSUER).read_text())


def caller_token(folder: Path, caller: auth.Caller, *, seconds: int) -> str:
    """A token that the gateway accepts."""
    return auth.mint(issuer(folder), caller, iss=auth.ISSUER, aud=auth.GATEWAY, seconds=seconds)


def token_file(home: Home, agency: str, role: auth.Role, *, days: int) -> Path:
    """Writes the token of an agency's system to agencies/<agency>.token, readable by its owner, and says where."""
    caller = auth.Caller(actor=f"{agency}-system", agency=agency, role=role)
    path = home.agencies / f"{agency}.token"
    write_private(path, caller_token(home.secrets, caller, seconds=days * 86_400) + "\n")
    return path


def _passwords(known: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Those that are known, and one for each user that has none yet, as after an upgrade."""
    users = {"postgres": ("admin", *SERVICES), "kafka": ("admin", "ctl", *PRINCIPALS)}
    return {
        server: {name: known.get(server, {}).get(name) or secrets.token_urlsafe(24) for name in names}
        for server, names in users.items()
    }


def _client_properties(password: str) -> str:
    """How Kafka's own clients log in as the auditor."""
    login = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return (
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\n"
        f'sasl.jaas.config={login} required username="{AUDITOR}" password="{password}";\n'
    )


def _needs() -> dict[str, tuple[str, ...]]:
    """Service -> the key files it may read."""
    sealed = {service: ("kek",) if service in SEALERS else () for service in WRITERS}
    writers = {service: ("gateway.pub.json", "body.key", *sealed[service]) for service in WRITERS}
    return {**writers, "projections": (), "gateway": ("issuer.pub.json", "gateway.key.json")}


def _hand_out(folder: Path, service: str, names: tuple[str, ...]) -> None:
    own = folder / service
    own.mkdir(mode=0o700, exist_ok=True)
    for name in names:
        if name.endswith(".pub.json"):
            key = read_json(folder / name.replace(".pub.", ".key."))
            write_json(own / name, auth.public_part(key))
        else:
            write_private(own / name, (folder / name).read_text())
    for stray in {path.name for path in own.iterdir()} - set(names):
        (own / stray).unlink()


def _once(path: Path, text: Callable[[], str]) -> None:
    if not path.exists():
        write_private(path, text())
