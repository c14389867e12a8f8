"""The environment variables of a Siao process. Every one of them, and nothing else configures one."""

import base64
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import Misconfigured

KEY_BYTES = 32

Clock = Literal["real", "simulated"]


class Settings(BaseSettings):
    """Read from `SIAO_<NAME>`. Each field's text is its documentation (`docs/settings.md` is checked against it)."""

    model_config = SettingsConfigDict(env_prefix="SIAO_", frozen=True)

    service: str = Field("", description="Name of the service; its schema, principal and log name.")
    database: SecretStr = Field(SecretStr(""), description="DSN of the process's own PostgreSQL role.")
    kafka: str = Field("127.0.0.1:9092", description="Bootstrap servers, host:port, separated by commas.")
    kafka_user: str = Field("", description="SASL/SCRAM-SHA-512 user; empty for a broker without authentication.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    http_host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told.")
    http_port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    poke: str = Field(
        "", description="host:port (UDP) of a poke after a commit: a write service its relay, projections the gateway."
    )
    clock: Clock = Field("real", description="`simulated` in a demonstration: each event then says so.")
    secrets: Path = Field(Path("secrets"), description="Folder with the key files that this process may read.")
    services: str = Field("", description="Gateway: registry=http://…,pairing=http://…,interventions=http://…")
    log_level: str = Field("info", description="debug, info, warning or error.")

    @cached_property
    def service_urls(self) -> dict[str, str]:
        """Service name -> base URL. Raises Misconfigured when a part is not `name=url`."""
        parts = [part.partition("=") for part in self.services.split(",") if part]
        if any(not url for _, _, url in parts):
            raise Misconfigured("SIAO_SERVICES must read name=url,name=url")
        return {name: url.rstrip("/") for name, _, url in parts}

    @cached_property
    def poke_address(self) -> tuple[str, int] | None:
        """Where the relay listens, or None. Raises Misconfigured when it is not host:port."""
        if not self.poke:
            return None
        host, _, port = self.poke.rpartition(":")
        if not host or not port.isdigit():
            raise Misconfigured("SIAO_POKE must read host:port")
        return host, int(port)

    def secret(self, name: str) -> str:
        """The text of one key file. Raises Misconfigured when it cannot be read."""
        try:
            return (self.secrets / name).read_text().strip()
        except OSError as error:
            raise Misconfigured(f"the key file {name} in SIAO_SECRETS cannot be read: {error.strerror}") from error

    def key(self, name: str) -> bytes:
        """The 32 bytes in a base64 key file. Raises Misconfigured when it holds something else."""
        key = base64.b64decode(self.secret(name))
        if len(key) != KEY_BYTES:
            raise Misconfigured(f"the key file {name} in SIAO_SECRETS must hold {KEY_BYTES} bytes in base64")
        return key
