"""supervisord (supervisor 4.3) as a child: what dies is started again, with a pause that grows while it keeps dying.

It is spoken to over a socket in a folder that only its owner may enter; it listens on no port.
"""

import os
import shlex
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xmlrpc.client import Error as RpcError
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from deploy.local import watched
from deploy.local.home import Home, marker, write_private
from deploy.local.programs import ROOT, Program

MARKER = "SIAO_MARKER"
LONGEST_SOCKET = 95
"""A socket's path may have 107 bytes (unix(7)); supervisord binds a temporary name of up to 8 more, and a NUL."""

MAIN = """[supervisord]
nodaemon=true
silent=true
minfds=512
minprocs=64
user={user}
logfile={log}
logfile_maxbytes=5MB
logfile_backups=2
pidfile={run}/supervisord.pid
childlogdir={logs}

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# startsecs: dying sooner than that counts as not having started, and makes the pause before the next try longer.
PROGRAM = """
[program:{name}]
command={command}
directory={folder}
environment={environment}
autostart=false
autorestart=true
startsecs=5
startretries=1000000
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
redirect_stderr=true
"""
# A group starts and stops at once, the one with the highest priority number stops first.
GROUP = """
[group:{name}]
programs={programs}
priority={priority}
"""
SERVERS, SERVICES = "servers", "services"
STOP_SECONDS_EACH = 6
STOP_SECONDS = 2 * STOP_SECONDS_EACH


class Supervisor:
    """A running supervisord and the programs it was given."""

    def __init__(self, home: Home, programs: Sequence[Program]) -> None:
        """Writes the settings and starts it; no program runs yet. Call from the main thread, whose end it follows."""
        self.home, self.socket = home, socket_path(home)
        self.socket.unlink(missing_ok=True)  # of a killed one; nobody uses it, as this home is held
        settings = home.run / "supervisord.conf"
        write_private(settings, render(home, self.socket, programs))
        self.process = watched.start(  # a session of its own: Ctrl-C is for the launcher, which then stops it in order
            "supervisor.supervisord", "-c", str(settings), environment=environment(home), own_session=True
        )
        self._await_socket()

    def _await_socket(self, seconds: float = 20) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                rpc(self.socket).getState()
            except (OSError, RpcError):
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"supervisord did not start; see {self.home.log('supervisord')}")

    def start(self, programs: Sequence[Program]) -> None:
        """Lets them be started; answers at once."""
        for program in programs:
            rpc(self.socket).startProcess(f"{group_of(program)}:{program.name}", False)

    def states(self) -> dict[str, dict[str, Any]]:
        return states(self.home)


def states(home: Home) -> dict[str, dict[str, Any]]:
    """Program -> what supervisord says of it (statename, pid, start, now, …); empty when none runs."""
    try:
        return {info["name"]: info for info in rpc(socket_path(home)).getAllProcessInfo()}
    except (OSError, RpcError):
        return {}


def rpc(socket: Path) -> Any:
    """supervisord's methods (see its manual, XML-RPC API)."""
    return ServerProxy("http://localhost", transport=SupervisorTransport(None, None, f"unix://{socket}")).supervisor


def socket_path(home: Home) -> Path:
    """run/supervisor.sock, or, where that is too long a path for a socket, one in a private folder remembered there."""
    path = home.run / "supervisor.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    remembered = home.run / "socket-folder"
    if not remembered.exists() or not Path(remembered.read_text()).is_dir():
        write_private(remembered, tempfile.mkdtemp(prefix="siao-"))
    return Path(remembered.read_text()) / "supervisor.sock"


def environment(home: Home) -> dict[str, str]:
    """All that supervisord and its children inherit: nothing that the caller's shell happens to export."""
    return {
        "PATH": os.defpath,
        "HOME": str(home.run),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": str(home.tmp),
        "PYTHONPATH": str(ROOT),
        "PYTHONNOUSERSITE": "1",
        MARKER: marker(home),
    }


def render(home: Home, socket: Path, programs: Sequence[Program]) -> str:
    """The settings file. Values are quoted for its reader, which gives `%`, quotes, `;` and `#` a meaning."""
    main = MAIN.format(
        user=os.geteuid(),
        log=_text(home.log("supervisord")),
        logs=_text(home.logs),
        run=_text(home.run),
        socket=_text(socket),
    )
    members: dict[str, list[str]] = {}
    for program in programs:
        members.setdefault(group_of(program), []).append(program.name)
    groups = (
        GROUP.format(name=name, programs=",".join(members[name]), priority=priority)
        for priority, name in enumerate((SERVERS, SERVICES), start=1)
        if name in members
    )
    return main + "".join(_section(home, program) for program in programs) + "".join(groups)


def group_of(program: Program) -> str:
    return SERVERS if program.port is None else SERVICES


def _section(home: Home, program: Program) -> str:
    section = PROGRAM.format(
        name=program.name,
        command=_text(shlex.join(program.command)),
        folder=_text(program.folder),
        environment=",".join(f'{name}="{_text(value)}"' for name, value in program.environment.items()),
        stop_signal=program.stop_signal,
        stop_seconds=STOP_SECONDS_EACH,
        log=_text(_text(home.log(program.name))),  # it expands this one twice
    )
    return section + (f"user={program.user}\n" if program.user else "")


def _text(value: object) -> str:
    return str(value).replace("%", "%%")
