"""python -m services.interventions api|relay|follower"""

from shared.runtime.main import run

if __name__ == "__main__":
    run(
        "interventions",
        {
            "api": "services.interventions.api",
            "relay": "shared.eventstore.relay",
            "follower": "shared.runtime.follower",
        },
    )
