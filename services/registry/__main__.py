"""python -m services.registry api|relay"""

from shared.runtime.main import run

if __name__ == "__main__":
    run("registry", {"api": "services.registry.api", "relay": "shared.eventstore.relay"})
