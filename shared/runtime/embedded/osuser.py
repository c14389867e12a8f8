"""PostgreSQL refuses to run as root: another user for it, who can reach its programs and its folder."""

import logging
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from shared.runtime.embedded import SetupError, acl

NAME = "siao-postgres"
log = logging.getLogger(__name__)


def choose() -> pwd.struct_passwd | None:
    """Root's PostgreSQL user, made at the first call (`nobody` where none can be made); None for ordinary users."""
    if os.geteuid() != 0:
        return None
    for name in (NAME, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            if name == NAME and _add(name):
                return pwd.getpwnam(name)
    raise SetupError(
        "PostgreSQL does not run as root and no other user could be made: start Siao as an ordinary user.",
        "PostgreSQL ทำงานด้วยผู้ใช้ root ไม่ได้และสร้างผู้ใช้อื่นไม่ได้ โปรดเริ่ม Siao ด้วยผู้ใช้ทั่วไป",
    )


def _add(name: str) -> bool:
    tool = shutil.which("useradd", path=os.defpath + ":/usr/sbin:/sbin")
    if tool is None:
        return False
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    made = subprocess.run([tool, *options, name], capture_output=True, check=False)  # noqa: S603
    if made.returncode:
        log.warning("no user %s could be made (useradd: %s), so PostgreSQL runs as nobody", name, made.returncode)
    return made.returncode == 0


def let_reach(user: pwd.struct_passwd, path: Path) -> None:
    """Gives the user, alone, the right to pass through every folder above `path` that keeps it out."""
    for folder in reversed(path.resolve().parents):
        if acl.may_search(folder, user.pw_uid, user.pw_gid):
            continue
        try:
            acl.let_through(folder, user.pw_uid)
        except OSError as error:
            log.warning("no access control list on %s (%s): everybody may pass through it now", folder, error.strerror)
            folder.chmod(folder.stat().st_mode | 0o001)


def own(user: pwd.struct_passwd, folder: Path) -> None:
    """Gives the user a folder with all that is in it, unless the folder is the user's already."""
    if folder.stat().st_uid == user.pw_uid:
        return
    for path in folder.rglob("*"):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    os.chown(folder, user.pw_uid, user.pw_gid)  # last, so that a broken run is repeated
