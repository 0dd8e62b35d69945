"""File systems on which SQLite's write-ahead log cannot be trusted: those of other computers."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path
from typing import Any

_MOUNTS = "/proc/self/mountinfo"
_OF_OTHERS = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afs|lustre|gpfs|beegfs|panfs|pvfs2|orangefs|ceph|davfs\w*|vboxsf|prl_fs|"
    r"fuse\.(sshfs|glusterfs|gcsfuse|s3fs|rclone|smbnetfs|davfs\w*|ceph\S*|mergerfs)"
)
_REMOTE = 4


def network_file_system(folder: Path) -> str:
    """Return the name of the network file system, such as "nfs4", that `folder` lies on; "" where it lies on a disk of this computer.

    Where the system does not tell, it is taken for a disk.
    """
    place = Path(os.path.realpath(folder))
    if sys.platform == "win32":
        windows: Any = ctypes.windll  # type: ignore[attr-defined,unused-ignore]
        is_remote = place.drive.startswith("\\\\") or windows.kernel32.GetDriveTypeW(place.anchor) == _REMOTE
        return "a network drive" if is_remote else ""
    try:
        mounts = Path(_MOUNTS).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""  # only Linux has that file
    kind = file_system_of(place, mounts)
    return kind if _OF_OTHERS.fullmatch(kind) else ""


def file_system_of(place: Path, mounts: str) -> str:
    """Return the type of the file system that `place`, an absolute path, lies on; "" where none is named.

    mounts: the text of Linux's mountinfo.
    """
    found = ("", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of several at one place the last is on top.
        if (place == Path(point) or Path(point) in place.parents) and len(point) >= len(found[0]):
            found = (point, after.split(" ")[0])
    return found[1]
