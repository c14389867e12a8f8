"""`python -m services.<service> <part>`: settings, logs, and the part's app served until SIGTERM."""

import sys
from collections.abc import Mapping
from importlib import import_module

from shared.errors import Misconfigured
from shared.runtime import collector, hush, logs, web
from shared.runtime.settings import Settings

WRONG_USE = 2
"""What a shell answers to a command that was called wrongly; a supervisor's restart will not help."""


def run(service: str, parts: Mapping[str, str]) -> None:
    """`parts`: the word on the command line -> the module whose `app(settings)` is served. Each is imported only when
    it is asked for, so that a relay does not carry a write service."""
    word = sys.argv[1] if len(sys.argv) == 2 else ""  # noqa: PLR2004
    if word not in parts:
        sys.exit(f"usage: python -m services.{service} {'|'.join(parts)}")
    settings = Settings(service=service)
    logs.configure(service, settings.log_level)
    hush.install()
    try:
        app = import_module(parts[word]).app(settings)
    except Misconfigured as error:
        print(error, file=sys.stderr)
        sys.exit(WRONG_USE)
    collector.rarely()
    web.serve(app, settings)
