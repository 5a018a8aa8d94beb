"""Containers that run one task after the other.

Owns which tasks may share a container, what such a container is made of, and the loop in it. Pure:
nothing is asked of a daemon or a disk here. A folder is shared with the loop; task ``n`` is a
script there, and what becomes of it is told by files beside it, which outlive the engine and the
container:

    n.task      the script; it appears whole
    n.off       it is to be stopped, or not to begin: "cancelled" or "late"
    n.begun     it has begun
    n.ended     its exit code, and how often the system has killed something for its memory
"""

import os
import re
import shlex
from collections.abc import Hashable, Sequence
from os.path import dirname
from typing import Any, Final

from localproc.model import Task
from localproc.plugins.containers import Image, command, outermost
from localproc_docker import private_tmp
from localproc_docker.task_containers import COUNTS_KILLED, KEY, Owner, host_config, is_below

MODES: Final = ("no", "step", "job")
FOLDER: Final = "warm"  #: in the executor's own: a folder for each such container
FEED: Final = "feed"  #: a pipe: a line for each task, and its end when the engine has gone
PRIVATE: Final = "tmp"  #: what is /tmp in the container
LANE: Final = "lane:"  #: begins the key of such a container: no task has one like it

#: Descriptor 4 is opened by way of one for both directions, so that nobody is waited for. What a
#: task has left running ends with it, and what it has left in folders of the container's own is
#: removed, or else the container ends; what lies there from the beginning is where something is
#: mounted. A signal says that ``n.off`` is there: it is for nobody else;
#: what ``wait`` says of that signal is not how the task has ended.
_LOOP: Final = """\
cd "$1"; exec 5<>feed; exec 4<feed 5<&-; n=1; end=
places='/tmp/* /tmp/.[!.]* /dev/shm/* /dev/shm/.[!.]*'; was=:
for one in $places; do was=$was$one:; done
clean() {
  for one in $places; do
    case $was in
      *":$one:"*) ;;
      *) rm -rf "$one"; [ ! -e "$one" ] || end=1;;
    esac
  done
}
hit() { [ -e $n.off ] && kill -$1 -1 2>/dev/null; }
trap 'hit TERM' USR1
trap 'hit KILL' USR2
trap 'end=1; kill -TERM -1 2>/dev/null' TERM
while [ -z "$end" ]; do
  if [ -e $n.task ]; then
    : >$n.begun
    killed; before=$killed
    if [ -e $n.off ]; then
      code=143
    else
      (. ./$n.task) 4<&- & task=$!
      hit TERM
      while :; do wait $task; code=$?; kill -0 $task 2>/dev/null || break; done
      [ -e $n.off ] && case $code in 138) code=143;; 140) code=137;; esac
      kill -KILL -1 2>/dev/null
      clean
      killed
    fi
    echo "$code $((killed - before))" >$n.ended
    n=$((n + 1))
  elif ! read -r _ <&4; then
    [ -e $n.task ] || end=1
  fi
done 2>/dev/null"""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def sharing(task: Task, image: Image, mode: str) -> Hashable | None:
    """Return what is equal for tasks that may share a container; ``None`` for one that may not.

    They have the same image, needs and network. One that has secrets, wants something at another
    path, or the variables of which no shell could set, has a container of its own; so has one whose
    image declares volumes, which it would share with the next.
    """
    box, needs = task.container, task.resources
    if box is None or mode == "no" or not task.group or task.secrets:
        return None
    if box.mounts or box.outdir != task.outdir or needs.gpus or image.volumes:
        return None
    if not all(map(_NAME.fullmatch, task.env)) or not (task.argv or image.entrypoint):
        return None
    among = task.group if mode == "step" else task.key.partition(":")[0]
    limits = (needs.cores, needs.cores_max, needs.ram, needs.ram_max)
    return (among, image.id, box.network, box.shm, limits, dirname(task.outdir))


def script(task: Task, image: Image) -> bytes:
    """Return what the loop runs for a task."""
    lines = [
        f"exec >>{_word(task.stdout)} 2>>{_word(task.stderr)} <{_word(task.stdin or '/dev/null')}",
        f"cd {_word(task.outdir)} || exit 126",
        *(f"export {name}={_word(value)}" for name, value in task.env.items()),
        f"exec {' '.join(map(_word, command(task, image)))}",
    ]
    return "\n".join([*lines, ""]).encode(errors="surrogateescape")


def creation(
    name: str, folder: str, tasks: Sequence[Task], image: Image, owner: Owner
) -> dict[str, Any]:
    """Return the body of ``POST /containers/create`` for tasks that share a container."""
    first = tasks[0]
    assert first.container is not None
    config = host_config(first, owner, keep_streams=False)
    config["Mounts"] = [private_tmp.mount(os.path.join(folder, PRIVATE)), *mounts(folder, tasks)]
    return {
        "Image": image.id,
        "Entrypoint": ["/bin/sh", "-c", f"{COUNTS_KILLED}\n{_LOOP}", "sh"],
        "Cmd": [folder],
        "WorkingDir": folder,
        "User": owner.user,
        "Labels": owner.labels | {KEY: LANE + name},
        "NetworkDisabled": not first.container.network,
        "HostConfig": config,
    }


def mounts(folder: str, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Return what tasks that share a container see: the folders of each other too."""
    own = [folder]
    for task in tasks:
        own += [
            dirname(task.outdir),
            dirname(task.tmpdir),
            dirname(task.stdout),
            dirname(task.stderr),
        ]
        own += task.writes
    writable = outermost(own)
    readable = outermost([path for task in tasks for path in task.reads])
    seen = dict.fromkeys(readable, True) | dict.fromkeys(writable, False)
    return [
        {"Type": "bind", "Source": path, "Target": path, "ReadOnly": is_read_only}
        for path, is_read_only in sorted(seen.items(), key=lambda one: one[0].split("/"))
    ]


def sees(seen: Sequence[dict[str, Any]], task: Task) -> bool:
    """Return whether a container with such mounts shows a task all that it needs."""
    return all(
        any(
            is_below(wanted["Source"], one["Source"]) and one["ReadOnly"] <= wanted["ReadOnly"]
            for one in seen
        )
        for wanted in mounts(task.outdir, [task])
    )


def _word(text: str) -> str:
    return shlex.quote(text)
