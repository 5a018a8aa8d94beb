"""A Slurm cluster of this machine alone: a controller and some nodes, on the loopback interface.

Owns its configuration, and starting, killing and ending its daemons. Each process of tests has one
of its own, so that one which breaks it harms no other.
"""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

NODES: Final = 3
CORES: Final = 40
RAM: Final = 20000
PROGRAMS: Final = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
_PATIENCE: Final = 120.0
_GRACE: Final = 3.0  #: seconds until a daemon is killed that does not end: one waits for its tasks
_DIE_WITH_PARENT: Final = 1

CONF: Final = """
ClusterName=localproc
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
{tracking}
JobAcctGatherFrequency=task=1
MpiDefault=none
SwitchType=switch/none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_min_interval=0,batch_sched_delay=0,sched_interval=2
ReturnToService=2
MaxArraySize=10001
MinJobAge=300
KillWait=2
InactiveLimit=0
SlurmctldTimeout=10
SlurmdTimeout={slurmd_timeout}
MessageTimeout=10
JobRequeue=1
AccountingStorageType=accounting_storage/none
DefMemPerCPU=100
GresTypes=disc
Licenses=idl:4
NodeName={name}[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] \
CPUs={cores} RealMemory={ram} Gres=disc:2 Feature=fast,big State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=60 State=UP
PartitionName=short Nodes=ALL MaxTime=10 DefaultTime=1 State=UP
"""
_CGROUP: Final = """ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
JobAcctGatherType=jobacct_gather/cgroup"""
_PLAIN: Final = """ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none"""


def missing() -> str:
    """Return what there is no cluster for want of; empty if one can be started."""
    gone = [name for name in PROGRAMS if _program(name) is None]
    return f"there is no {', '.join(gone)}: install slurmctld, slurmd, munge" if gone else ""


class Cluster:
    """Starts at once. ``limits``: its nodes enforce memory.

    A node that has not been heard of for ``slurmd_timeout`` seconds is lost.
    """

    def __init__(self, folder: Path, *, slurmd_timeout: int = 300) -> None:
        self.folder = folder
        self.limits = _has_cgroups()
        self.conf = folder / "slurm.conf"
        ports = _free_ports(NODES + 1)
        self.name = f"lp{ports[0]}n"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for part in ("munge", "state", "spool"):
            (folder / part).mkdir(mode=0o755)
        self._write(ports, slurmd_timeout)
        try:
            self._munge()
            self.start_controller()
            for number in range(1, NODES + 1):
                self.start_node(number)
            self.wait_for_nodes()
        except BaseException:
            self.end()
            raise

    def start_controller(self) -> None:
        """Start the controller, and wait for its answer."""
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.conf))
        self._until(["scontrol", "ping"], "UP")

    def start_node(self, number: int) -> None:
        """Start a node."""
        name = f"{self.name}{number}"
        self._start(name, "slurmd", "-D", "-N", name, "-f", str(self.conf))

    def wait_for_nodes(self) -> None:
        """Wait until all nodes are there."""
        self._until(["sinfo", "-h", "-p", "main", "-t", "idle,alloc,mix", "-o", "%D"], str(NODES))

    def kill(self, name: str) -> None:
        """Kill a daemon, ``slurmctld`` or a node, as a power cut would."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str) -> None:
        """Have a daemon answer nobody: it is there, and does nothing."""
        self._running[name].send_signal(signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """Have it answer again."""
        self._running[name].send_signal(signal.SIGCONT)

    def call(self, *argv: str) -> str:
        """Return what a command of Slurm says."""
        return self.tried(*argv).stdout

    def tried(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Call a command of Slurm."""
        env = {**os.environ, "SLURM_CONF": str(self.conf)}
        return subprocess.run(
            argv, check=False, capture_output=True, text=True, env=env, timeout=_PATIENCE
        )

    def end(self) -> None:
        """End all daemons, and what jobs have left."""
        if "slurmctld" in self._running:
            self.tried("scancel", "--user", str(os.getuid()))
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        self.kill_steps()

    def kill_steps(self, *, runners: bool = True) -> None:
        """Kill the daemons of jobs, and ``runners``, all that they have started, before."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == "slurmstepd" and any(
                    str(self.folder) in file.path for file in process.open_files()
                ):
                    started = process.children(recursive=True) if runners else []
                    for one in [process, *started]:
                        one.kill()

    def _write(self, ports: Sequence[int], slurmd_timeout: int) -> None:
        host = socket.gethostname().split(".")[0]
        text = CONF.format(
            host=host,
            user=os.environ.get("USER") or "root",
            folder=self.folder,
            port=ports[0],
            first=ports[1],
            last=ports[-1],
            name=self.name,
            nodes=NODES,
            slurmd_timeout=slurmd_timeout,
            cores=CORES,
            ram=RAM,
            tracking=_CGROUP if self.limits else _PLAIN,
        )
        self.conf.write_text(text.lstrip())
        (self.folder / "gres.conf").write_text("Name=disc Count=2\n")
        (self.folder / "cgroup.conf").write_text(
            "CgroupAutomount=yes\nCgroupPlugin=cgroup/v1\nConstrainRAMSpace=yes\n"
        )

    def _munge(self) -> None:
        folder = self.folder / "munge"
        key = folder / "key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        files = {"key-file": "key", "seed-file": "seed", "log-file": "log", "pid-file": "pid"}
        options = [f"--{name}={folder / file}" for name, file in files.items()]
        socket_file = folder / "socket"
        self._start(
            "munged", "munged", "--foreground", "--force", f"--socket={socket_file}", *options
        )
        self._until(["munge", "-S", str(socket_file), "-n"], "MUNGE")

    def _start(self, name: str, program: str, *arguments: str) -> None:
        path = _program(program)
        assert path is not None
        env = {**os.environ, "SLURM_CONF": str(self.conf)}
        with (self.folder / f"{name}.out").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                preexec_fn=_die_with_parent,
            )

    def _until(self, argv: Sequence[str], said: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while said not in self.tried(*argv).stdout:
            assert time.monotonic() < deadline, f"{argv} never said {said}: see {self.folder}"
            time.sleep(0.05)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _has_cgroups() -> bool:
    """Whether nodes can track and limit jobs by control groups (version 1)."""
    if os.getuid() != 0:
        return False
    mounts = Path("/proc/mounts").read_text().splitlines()
    kinds = {word for line in mounts if " cgroup " in line for word in line.split()[3].split(",")}
    return {"memory", "freezer"} <= kinds


def _free_ports(count: int) -> list[int]:
    """Return a run of ports that nobody listens on, below those that the system gives out."""
    while True:
        first = 10_000 + secrets.randbelow(20_000)
        ports = list(range(first, first + count))
        try:
            for port in ports:
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except OSError:
            continue
        return ports


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
