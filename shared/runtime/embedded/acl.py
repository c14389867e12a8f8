"""Lets one other user pass through a folder, and nobody else: POSIX access control lists, straight from the kernel.

The layout of the attribute is linux/posix_acl_xattr.h: a version, then (tag, permissions, id) sorted by tag and id.
"""

import errno
import os
import stat
import struct
from pathlib import Path

ATTRIBUTE = "system.posix_acl_access"
VERSION = 2
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
NOBODY = 0xFFFFFFFF  # the id of entries that name none
SEARCH = 1

Entries = dict[tuple[int, int], int]  # (tag, id) -> rwx bits


def let_through(folder: Path, uid: int) -> None:
    """Adds "user `uid` may search this folder" to its list; nobody else gains anything. OSError if unsupported."""
    entries = _read(folder)
    entries[USER, uid] = entries.get((USER, uid), 0) | SEARCH
    entries[MASK, NOBODY] = entries.get((MASK, NOBODY), entries[GROUP_OBJ, NOBODY]) | SEARCH
    packed = b"".join(struct.pack("<HHI", tag, bits, who) for (tag, who), bits in sorted(entries.items()))
    os.setxattr(folder, ATTRIBUTE, struct.pack("<I", VERSION) + packed)


def may_search(folder: Path, uid: int, gid: int) -> bool:
    """Whether a user with this one group may pass through the folder."""
    if folder.stat().st_uid == uid:
        return bool(folder.stat().st_mode & stat.S_IXUSR)
    entries = _read(folder)
    mask = entries.get((MASK, NOBODY), 7)
    if (USER, uid) in entries:
        return bool(entries[USER, uid] & mask & SEARCH)
    if folder.stat().st_gid == gid or (GROUP, gid) in entries:
        group = entries[GROUP_OBJ, NOBODY] if folder.stat().st_gid == gid else 0
        return bool((group | entries.get((GROUP, gid), 0)) & mask & SEARCH)
    return bool(entries[OTHER, NOBODY] & SEARCH)


def _read(folder: Path) -> Entries:
    """The folder's list; where it has none, the same said by its mode."""
    try:
        raw = os.getxattr(folder, ATTRIBUTE)
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP):
            raise
        mode = folder.stat().st_mode
        return {
            (USER_OBJ, NOBODY): mode >> 6 & 7,
            (GROUP_OBJ, NOBODY): mode >> 3 & 7,
            (OTHER, NOBODY): mode & 7,
        }
    return {(tag, who): bits for tag, bits, who in struct.iter_unpack("<HHI", raw[4:])}
