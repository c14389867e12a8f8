"""Runs a module (or a script, by its whole path) that ends with its launcher:
`python -m deploy.local.watched LAUNCHER_PID MODULE [ARGUMENTS]`.

When the launcher dies, however it dies, the kernel sends SIGTERM here (prctl(2), PR_SET_PDEATHSIG); supervisord, run
this way, then stops all it runs. The call must be made in the child, where no other thread exists yet.
"""

import ctypes
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
ROOT = Path(__file__).parents[2]


def start(
    module: str, *arguments: str, environment: dict[str, str] | None = None, own_session: bool = False
) -> subprocess.Popen[bytes]:
    """Starts a module or script so. Call from the main thread, whose end it follows."""
    command = [sys.executable, "-m", "deploy.local.watched", str(os.getpid()), module, *arguments]
    return subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, start_new_session=own_session, umask=0o077
    )


def end(child: subprocess.Popen[bytes], seconds: float = 5) -> None:
    """Ends a child that may still run."""
    child.terminate()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main() -> None:
    launcher, module = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != launcher:  # it died before the call
        sys.exit(1)
    del sys.argv[1:3]
    if os.path.isabs(module):
        runpy.run_path(module, run_name="__main__")
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
