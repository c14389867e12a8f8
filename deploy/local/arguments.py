"""`python -m deploy.local.arguments …`: whether the commands would take these arguments. Exit code 2 when not.

The launcher asks before it installs what only a command that is going to run needs.
"""

from typing import Any

import typer

from deploy.local import cli


def judge() -> None:
    """Reads the arguments as the commands do, and runs none of them."""
    command = typer.main.get_command(cli.app)
    _hold(command)
    cli.run(command)


def _hold(command: Any) -> None:
    """Takes from a command what it does, not what it takes; from those below it as well."""
    command.callback = None
    for below in getattr(command, "commands", {}).values():
        _hold(below)


if __name__ == "__main__":
    judge()
