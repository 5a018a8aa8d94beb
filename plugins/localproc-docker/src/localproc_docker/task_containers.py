"""From a task to a container, and from what the daemon says of that to a report.

Owns what a container is made of: mounts, limits, the user, labels, the small shell that writes the
streams. Pure: nothing is asked of a daemon or a disk here.
"""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from localproc.executors.curtain import Curtain
from localproc.model import Report, Task, TaskState
from localproc.plugins import containers as shared
from localproc.plugins.containers import Image
from localproc_docker import private_tmp
from localproc_docker.info import Info

HOME: Final = "localproc.home"
FOLDER: Final = "localproc.folder"  #: of the home, by which one that is gone is known
KEY: Final = "localproc.key"
LIMIT: Final = "localproc.limit"
STREAMS: Final = "localproc.streams"
FED: Final = "localproc.fed"  #: it is sent what it reads
WITHOUT: Final = "localproc.without"  #: hints that could not be met, a line each

#: Counts what the system has killed in the container for its memory. Podman never tells of that.
COUNTS_KILLED: Final = """\
killed() {
  killed=0
  for counts in /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events; do
    [ -r $counts ] && while read -r name count; do
      case $name in oom_kill) killed=$count;; esac
    done <$counts
  done
}"""

#: Runs a task with its streams in files. It is the container's first process, which the system
#: shields from signals, so it stays to pass TERM on to all others; the task gets one of its own.
#: Where a part of it was killed for its memory, all of it was: whatever the rest made of that.
_SHELL: Final = """\
{counts}
exec >>"$2" 2>>"$3"; exec 3<"$1"; {arguments}
"$@" <&3 3<&- & task=$!
trap 'kill -TERM -1' TERM
while :; do wait $task; code=$?; kill -0 $task 2>/dev/null || break; done
killed 2>/dev/null; [ "$killed" = 0 ] || code=137
exit $code"""
_GIVEN: Final = "shift 3"
_BY_PIPE: Final = '. "$4"'  #: sets them, and the environment

_CURTAINS: Final = "curtains"  #: in the executor's own folder
_CSV: Final = re.compile(r'[,"\n]')
_MIB: Final = 1 << 20
STILL: Final = ("created", "exited", "dead")  #: states of containers that do not run
KILLED: Final = (137, 143)  #: exit codes of what was told to end, or made to
_NANO: Final = 1_000_000_000
_NEVER: Final = "0001-"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who containers belong to: a home's executor folder, and the user that tools run as."""

    folder: str
    uid: int
    gid: int
    daemon: Info = field(default_factory=Info)

    @property
    def user(self) -> str:
        """The user in a container who is this one on the machine."""
        return "0:0" if self.daemon.is_rootless else f"{self.uid}:{self.gid}"

    @property
    def mark(self) -> str:
        """The value of the label that tells the containers of this home from all others."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:32]

    @property
    def labels(self) -> dict[str, str]:
        """What all containers of this home are labelled with."""
        readable = self.folder.encode(errors="surrogateescape").decode(errors="replace")
        return {HOME: self.mark, FOLDER: readable}

    def name(self, key: str) -> str:
        """Return the container's name for a task's key: names take few characters."""
        text = f"{self.folder}\0{key}".encode(errors="surrogateescape")
        return f"localproc-{hashlib.sha256(text).hexdigest()[:40]}"


def curtain(owner: Owner, name: str) -> Curtain:
    """Return what hides the secrets of a container's task, if it has any."""
    return Curtain(os.path.join(owner.folder, _CURTAINS, name))


def creation(
    task: Task, image: Image, owner: Owner, *, shell: bool = True, curtain: Curtain | None = None
) -> dict[str, Any]:
    """Return the body of ``POST /containers/create`` for a task.

    ``shell``: the image has one, which opens the streams; without it the daemon keeps what is
    written, and is sent what is read. With a
    ``curtain`` neither command nor secrets are there: the shell is told of them by a pipe.
    """
    box = task.container
    assert box is not None, "a task without a container has no place here"
    argv = list(shared.command(task, image))
    labels = owner.labels | {KEY: task.key, LIMIT: str(task.resources.time)}
    if task.without:
        labels[WITHOUT] = "\n".join(task.without)
    stdin = _inside(task, task.stdin) if task.stdin else "/dev/null"
    if curtain is not None:
        entry = _entry(_BY_PIPE, [stdin, *curtain.streams(task), curtain.begin])
    elif shell:
        streams = [stdin, _inside(task, task.stdout), _inside(task, task.stderr)]
        entry = _entry(_GIVEN, [*streams, *argv])
    else:
        entry = {"Entrypoint": argv[:1], "Cmd": argv[1:]}
        labels[STREAMS] = "kept"
        if task.stdin:
            labels[FED] = "yes"
    is_fed = FED in labels
    return {
        "Image": image.id,
        **entry,
        "Env": [f"{name}={value}" for name, value in task.env.items()],
        "WorkingDir": box.outdir,
        "OpenStdin": is_fed,
        "StdinOnce": is_fed,
        "User": owner.user,
        "Labels": labels,
        "NetworkDisabled": not box.network,
        "HostConfig": host_config(task, owner, keep_streams=not shell, curtain=curtain),
    }


def _entry(arguments: str, words: Sequence[str]) -> dict[str, Any]:
    shell = _SHELL.format(arguments=arguments, counts=COUNTS_KILLED)
    return {"Entrypoint": ["/bin/sh", "-c", shell, "sh"], "Cmd": list(words)}


def host_config(
    task: Task,
    owner: Owner,
    *,
    keep_streams: bool,
    curtain: Curtain | None = None,
    private: str = "",
) -> dict[str, Any]:
    """Return what a container of a task sees, and how much it may do and use."""
    box, needs = task.container, task.resources
    assert box is not None
    config: dict[str, Any] = {
        "Mounts": mounts(task, streams=not keep_streams, curtain=curtain, private=private),
        "NetworkMode": "host" if box.network else "none",
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "CapAdd": ["DAC_OVERRIDE"] if owner.uid == 0 else [],
        "UsernsMode": "host" if owner.daemon.is_remapped else "",
        "SecurityOpt": ["no-new-privileges"],
        "Memory": needs.ram_max * _MIB,
        "MemorySwap": needs.ram_max * _MIB,
        "NanoCpus": _processors(task, owner),
        "PidsLimit": shared.MOST_PROCESSES,
        "LogConfig": {"Type": "json-file" if keep_streams else "none"},
        "Init": True if keep_streams else None,
        "ShmSize": box.shm,
    }
    if needs.gpus:
        config["DeviceRequests"] = [{"Count": needs.gpus, "Capabilities": [["gpu"]]}]
    return config


def _processors(task: Task, owner: Owner) -> int:
    """Return the limit in billionths of a processor, 0 for all: no more than all is accepted."""
    wanted = max(task.resources.cores, task.resources.cores_max)
    there = owner.daemon.processors
    return 0 if there and wanted >= there else int(wanted * _NANO)


def mounts(
    task: Task, *, streams: bool, curtain: Curtain | None = None, private: str = ""
) -> list[dict[str, Any]]:
    """Return what a container sees of this machine: what its task reads and writes, no more.

    ``private`` is its ``/tmp``, where that cannot be the task's temporary folder: beside the task's
    own unless that is said.
    """
    found = {one.target: (one.source, not one.writable) for one in shared.mounts(task)}
    if curtain is not None:
        found[curtain.folder] = (curtain.folder, False)
    elif streams:
        for path in (task.stdout, task.stderr):
            if not is_below(path, task.outdir):
                found.setdefault(path, (path, False))
    # What lies below gets its mount point there, which is nothing for the task's own folder.
    apart = private or private_tmp.own(task.outdir)
    place = apart if private_tmp.has_mounts(found) else task.tmpdir
    found.setdefault(private_tmp.PLACE, (place, False))
    return [
        {"Type": "bind", "Source": source, "Target": target, "ReadOnly": is_read_only}
        for target, (source, is_read_only) in found.items()
    ]


def sent(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body as every daemon reads it.

    Podman writes mounts as comma separated values without quoting them, so one whose paths have
    what means something there is sent in the older form, in which it is the colon that does.
    """
    host = body.get("HostConfig") or {}
    seen, binds = [], []
    for one in host.get("Mounts") or ():
        if _has_marks(one) and not _has_colon(one):
            binds.append(f"{one['Source']}:{one['Target']}:{'ro' if one['ReadOnly'] else 'rw'}")
        else:
            seen.append(one)
    return {**body, "HostConfig": {**host, "Mounts": seen, "Binds": binds}}


def hindrance(mount: Mapping[str, Any], daemon: Info) -> str:
    """Return why a daemon cannot show a container a path, empty if it can."""
    if daemon.is_podman and _has_marks(mount) and _has_colon(mount):
        said = "its path has a colon, and a comma, a quote or a line break"
        return f"podman cannot mount {mount['Source']}: {said}"
    return ""


def _has_marks(mount: Mapping[str, Any]) -> bool:
    return bool(_CSV.search(mount["Source"] + mount["Target"]))


def _has_colon(mount: Mapping[str, Any]) -> bool:
    return ":" in mount["Source"] + mount["Target"]


def report(key: str, seen: Mapping[str, Any]) -> Report:
    """Return what ``GET /containers/{id}/json`` says of a task."""
    state = seen["State"]
    native = str(seen.get("Id", ""))[:12]
    started = _time(state.get("StartedAt"))
    if is_waiting(seen):
        return Report(key, TaskState.QUEUED, native_id=native, reason="waits for room")
    if runs(seen):
        return Report(key, TaskState.RUNNING, started=started, native_id=native)
    return Report(
        key,
        _ending(seen),
        exit_code=int(state["ExitCode"]),
        started=started,
        ended=_ended(state),
        native_id=native,
        reason=str(state.get("Error") or ""),
        without=tuple((seen["Config"].get("Labels") or {}).get(WITHOUT, "").splitlines()),
    )


def _ending(seen: Mapping[str, Any]) -> TaskState:
    """Return how a container has ended: one that was killed when its time was up ran too long."""
    state, most = seen["State"], limit(seen)
    if state.get("OOMKilled"):
        return TaskState.OUT_OF_MEMORY
    started, ended = _time(state.get("StartedAt")), _ended(state)
    if most and started and ended and int(state["ExitCode"]) in KILLED:
        took = (ended - started).total_seconds()
        return TaskState.TIMED_OUT if took >= most else TaskState.ENDED
    return TaskState.ENDED


def _ended(state: Mapping[str, Any]) -> datetime | None:
    """Return when a container ended; the start of a short one may be noted after its end."""
    started, ended = _time(state.get("StartedAt")), _time(state.get("FinishedAt"))
    return max(started, ended) if started and ended else ended


def is_waiting(seen: Mapping[str, Any]) -> bool:
    """Return whether a container was never started."""
    return bool(seen["State"]["Status"] == "created")


def runs(seen: Mapping[str, Any]) -> bool:
    """Return whether a container has been started and not ended."""
    return seen["State"]["Status"] not in STILL


def limit(seen: Mapping[str, Any]) -> float:
    """Return the seconds that a container may run, 0 for as long as it likes."""
    return float((seen["Config"].get("Labels") or {}).get(LIMIT) or 0)


def keeps_streams(seen: Mapping[str, Any]) -> bool:
    """Return whether the daemon has kept what the container has written."""
    return STREAMS in (seen["Config"].get("Labels") or {})


def is_fed(seen: Mapping[str, Any]) -> bool:
    """Return whether the container is sent what it reads."""
    return FED in (seen["Config"].get("Labels") or {})


def image_id(seen: Mapping[str, Any]) -> str:
    """Return the id of the image that a container was made from."""
    return str(seen["Image"])


def _inside(task: Task, path: str) -> str:
    """Return a path as the container sees it."""
    assert task.container is not None
    if is_below(path, task.outdir):
        return task.container.outdir + path[len(task.outdir) :]
    return path


def outside(task: Task, path: str) -> str:
    """Return a path of a container as it is on this machine."""
    for one in reversed(shared.mounts(task)):
        if is_below(path, one.target):
            return one.source + path[len(one.target) :]
    return path


def is_below(path: str, folder: str) -> bool:
    """Return whether a path is a folder, or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _time(text: Any) -> datetime | None:
    """Read RFC 3339 with nanoseconds; the year 1 stands for never."""
    if not isinstance(text, str) or not text or text.startswith(_NEVER):
        return None
    whole, dot, rest = text.partition(".")
    if not dot:
        return datetime.fromisoformat(text)
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return datetime.fromisoformat(f"{whole}.{rest[: min(digits, 6)].ljust(6, '0')}{rest[digits:]}")
