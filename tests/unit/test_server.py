"""The HTTP server ends when it is told to, however rarely it looks by itself."""

import signal
import subprocess
import sys

PROGRAM = """
import sys
import uvicorn
from shared.runtime import server

server.BETWEEN_TICKS = 3600.0

async def app(scope, receive, send):
    await receive()
    if scope["type"] == "lifespan":
        await send({"type": f"lifespan.startup.{sys.argv[1]}"})
        print("ready", flush=True)
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

server.run(uvicorn.Config(app, port=0, log_config=None))
"""


def started(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, how], stdout=subprocess.PIPE, text=True)


def test_a_signal_ends_it_at_once() -> None:
    with started("complete") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == -signal.SIGTERM


def test_it_says_that_it_could_not_start() -> None:
    with started("failed") as process:
        assert process.wait(timeout=60) == 3
