"""What only a person can put right, said in one sentence in each language."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import Misconfigured
from shared.runtime.embedded import SetupError

ROOM = 256 << 20
"""Bytes that a start must find free: the servers' first files, with room to write logs."""


class Trouble(Exception):
    """Ends a command with exit code 1. `en` and `th` say what is wrong and what to do."""

    def __init__(self, en: str, th: str, *, details: str = "") -> None:
        super().__init__(en)
        self.en, self.th, self.details = en, th, details


def no_stack(root: Path, then: str = "") -> Trouble:
    """Of a command that needs one. `then`: what to do when it is started, in English."""
    return Trouble(
        f"There is no stack in {root}: start one with `./siao up`{then}.",
        f"ยังไม่มีระบบใน {root} โปรดเริ่มด้วย ./siao up ก่อน",
    )


@contextmanager
def explained() -> Iterator[None]:
    """Turns failures of the machine under us into Trouble; programming errors pass through as they are."""
    try:
        yield
    except SetupError as error:
        raise (full_disk() if os.strerror(errno.ENOSPC) in str(error) else Trouble(str(error), error.thai)) from error
    except Misconfigured as error:
        raise Trouble(str(error), "การตั้งค่าไม่ถูกต้อง โปรดดูข้อความภาษาอังกฤษข้างต้น") from error
    except OSError as error:
        raise _of_the_machine(error) from error


def has_room(folder: Path) -> bool:
    return shutil.disk_usage(folder).free >= ROOM


def full_disk() -> Trouble:
    return Trouble(
        "The disk is full: free 1 GB and run the same command again; nothing is lost.",
        "พื้นที่ดิสก์เต็ม โปรดเพิ่มที่ว่างอย่างน้อย 1 GB แล้วสั่งคำสั่งเดิมอีกครั้ง ข้อมูลไม่สูญหาย",
    )


def awaits_rebuild(other: str) -> tuple[str, str]:
    """What is said, in each language, of tables that another version made (services/projections/made_by.py)."""
    return (
        f"! The figures were made by another version of Siao ({other}). Commands are taken as always, and figures are "
        "shown as that version left them, until `./siao rebuild` has made them anew (docs/new-definition.md).",
        f"  ตัวเลขที่แสดงสร้างด้วยโปรแกรมรุ่นอื่น ({other}) ระบบยังรับข้อมูลตามปกติ "
        "แต่ตัวเลขจะค้างอยู่เท่าที่รุ่นนั้นทำไว้ จนกว่าจะสั่ง ./siao rebuild",
    )


def _of_the_machine(error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full_disk()
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Trouble(
            f"{error.filename} may not be written or read: run as its owner, or choose another folder with SIAO_HOME.",
            f"ไม่มีสิทธิ์ใช้ {error.filename} โปรดสั่งงานด้วยผู้ใช้ที่เป็นเจ้าของ หรือกำหนด SIAO_HOME เป็นโฟลเดอร์อื่น",
        )
    return error
