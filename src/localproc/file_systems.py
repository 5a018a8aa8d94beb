"""What kind of file system a path lies on.

Owns telling those of a network from those of this machine. Must not know what follows from it.
"""

import os
from typing import Final

_NETWORK: Final = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "lustre",
        "gpfs",
        "beegfs",
        "ceph",
        "afs",
        "afpfs",
        "pvfs2",
        "orangefs",
        "glusterfs",
        "9p",
        "virtiofs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.ceph",
        "fuse.s3fs",
        "fuse.rclone",
        "fuse.mount-s3",
        "macfuse",
        "webdav",
    }
)


def on_network(path: str) -> bool:
    """Whether a path lies on a network file system."""
    return file_system(path) in _NETWORK


def file_system(path: str, mounts: str = "/proc/self/mountinfo") -> str:
    """Return the type of the file system that a path lies on, empty if it cannot be told."""
    real = os.path.realpath(path)
    best, kind = "", ""
    for mount_point, fs_type in _mounts(mounts):
        inside = real == mount_point or real.startswith(mount_point.rstrip("/") + "/")
        if inside and len(mount_point) >= len(best):
            best, kind = mount_point, fs_type
    return kind


def _mounts(path: str) -> list[tuple[str, str]]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.split(" ") for line in file]
    except FileNotFoundError:
        import psutil

        return [(one.mountpoint, one.fstype) for one in psutil.disk_partitions(all=True)]
    return [(_unescape(line[4]), line[line.index("-") + 1]) for line in lines if "-" in line]


def _unescape(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
