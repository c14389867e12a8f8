"""How a client logs in to the broker: SASL/SCRAM-SHA-512 with the process's own principal."""

from typing import Any

from shared.runtime.settings import Settings


def login(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for every aiokafka client."""
    where: dict[str, Any] = {"bootstrap_servers": settings.kafka, "client_id": f"siao-{settings.service}"}
    if not settings.kafka_user:
        return where
    return where | {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }
