"""python -m services.pairing api|relay|follower"""

from shared.runtime.main import run

if __name__ == "__main__":
    run(
        "pairing",
        {"api": "services.pairing.api", "relay": "shared.eventstore.relay", "follower": "services.pairing.follower"},
    )
