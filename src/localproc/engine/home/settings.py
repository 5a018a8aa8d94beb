"""How an engine is set up.

Owns the settings and their defaults. Must not know what they are used for.
"""

import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from enum import StrEnum
from typing import Any, Final

from localproc.engine.home.home import DEFAULT_NAMESPACE, check_namespace
from localproc.engine.home.retention import Retention
from localproc.engine.home.secrets import check_sources
from localproc.engine.home.variables import read_variables
from localproc.errors import InvalidInputs, Problem
from localproc.frozen import frozen
from localproc.machine.retries import read_rules
from localproc.near import near
from localproc.spelling import public
from localproc.storage.kept_inputs import Offline
from localproc.storage.open_storages import StorageOptions
from localproc.storage.stac_check import Validation

_MAIL: Final = ("host", "port", "from", "user", "password", "tls")
_NUMBERS: Final = ("cores", "ram", "slots", "grace", "active", "inputs_cache_limit")


class Pull(StrEnum):
    """When images are brought that a step needs."""

    NEVER = "never"
    MISSING = "missing"
    ALWAYS = "always"  #: once by each engine, as they may be newer


@public
@frozen
class Settings:
    """Settings of an engine.

    ``executor`` runs the jobs that name none; ``slurm;node_stac=local`` sends some steps elsewhere.
    ``results`` is the folder or URI under which ``<job>/`` is published. ``work`` is the folder in
    which tasks work, the home unless it is set. ``cores``, ``ram`` (MiB) and ``slots`` bound what
    tasks of this engine use at a time; one that wants more than there is runs alone. ``grace`` is
    how many seconds a task has between TERM and KILL. ``active`` jobs are run at a time, the others
    wait. ``durable``: what is recorded survives a power cut too: jobs, outputs of steps, published
    results. ``adopt``: take over the jobs of engines that are gone, and those that belong to none.
    ``keep``: keep the folders of steps of successful jobs. ``reuse``: use the outputs of equal
    steps of earlier jobs, and keep those of this engine's; ``None``: as the variable
    ``LOCALPROC_REUSE`` says, else as ``settings.yml`` does. ``retries``: when steps that fail run
    again (docs/engine.md, "Retries"). ``offline`` says whether inputs
    are asked of the network: ``never`` offline, ``auto`` (only where there is a way), ``always``:
    there is but what is kept. ``inputs_cache`` is the folder where inputs from elsewhere are kept,
    which several homes may share; the home's own unless it is set. ``inputs_cache_limit`` is how
    many MiB it may have, beside what is mirrored. ``validate_results`` says what is done about
    STAC in results that is not valid: ``off``, ``warn`` (in the log) or ``fail``; ``stac_schemas``
    is a folder of schemas of extensions. ``containers`` names the runtime of tools that name an
    image: ``auto`` takes what is there for packages that require it, or hint at images that are
    here, ``none`` is none. ``images`` is the folder of images that localproc keeps itself.
    ``pull``: bring images that are ``missing``, ``always`` the newest, or ``never``, so that a job
    whose images are not here is not accepted; ``build`` allows building them by a dockerFile.
    ``container_map`` says what images stand for: ``local`` (this machine), the path of a folder or
    file, or another image. ``callback_secret`` signs what subscribers are told. ``software`` are
    the resolvers that are asked for the software of tools, in their order, each with its ``type``
    and options, or the file that has them. ``executor_options`` are by an executor's name,
    ``container_options`` by a runtime's, ``storage_options`` by a scheme (``s3``) or the beginning
    of URIs (``s3://bucket``). ``namespace_storage_options`` are the same for each namespace; the
    more particular ones add to the others. ``prune``: which jobs go by themselves
    (``localproc.engine.home.retention.Retention``), none unless it says. ``variables`` are rules
    for the environment of tools, ``secrets`` the sources of secrets by name, and ``mail`` is the
    server that sends it (``host``, ``port``, ``from``, ``user``, ``password``, ``tls``). Options,
    ``software``, ``containers``, ``images``, ``pull``, ``container_map``, ``prune``, ``variables``,
    ``secrets`` and ``mail`` may also stand in ``settings.yml`` in the home.

    Raises ``InvalidInputs`` for negative and infinite numbers, and for a ``namespace`` that can be
    no folder's name.
    """

    executor: str = "local"
    results: str | None = None
    work: str | None = None
    cores: float = 0
    ram: int = 0
    slots: int = 0
    grace: float = 0.5
    active: int = 64
    durable: bool = False
    adopt: bool = True
    keep: bool = False
    reuse: bool | None = None
    retries: Any = None
    containers: str = ""
    images: str | None = None
    pull: str = ""
    build: bool = False
    container_map: Mapping[str, str] = field(default_factory=dict)
    offline: str = "never"
    inputs_cache: str | None = None
    inputs_cache_limit: int = 10_240
    validate_results: str = "warn"
    stac_schemas: str = ""
    namespace: str = DEFAULT_NAMESPACE
    callback_secret: str = field(default="", repr=False)
    software: Sequence[Mapping[str, Any]] | str = ()
    executor_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    container_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    storage_options: StorageOptions = field(default_factory=dict, repr=False)
    namespace_storage_options: Mapping[str, StorageOptions] = field(
        default_factory=dict, repr=False
    )
    prune: Mapping[str, Any] = field(default_factory=dict)
    variables: Sequence[Mapping[str, Any]] | Mapping[str, Any] = field(default=(), repr=False)
    secrets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    mail: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        wrong = [
            Problem(f"{value!r} is not a number", name)
            for name, value in numbers.items()
            if not isinstance(value, (int, float))
        ] or [Problem("cannot be negative", name) for name, value in numbers.items() if value < 0]
        if wrong:
            raise InvalidInputs("the settings make no sense", wrong)
        check_finite({name: getattr(self, name) for name in ("cores", "ram", "slots", "grace")})
        check_choice("offline", self.offline, Offline)
        check_choice("validate_results", self.validate_results, Validation)
        check_choice("pull", self.pull or Pull.NEVER, Pull)
        check_namespace(self.namespace)
        read_rules(self.retries)
        check_by_name("executor_options", self.executor_options)
        check_by_name("container_options", self.container_options)
        check_by_name("storage_options", self.storage_options)
        Retention.of(self.prune)
        read_variables(self.variables)
        check_sources(self.secrets)
        check_mail(self.mail)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if any(not one.repr and getattr(self, one.name) for one in fields(self)):
            raise TypeError("these settings are not to be pickled: there may be keys in them")
        return object.__reduce_ex__(self, protocol)

    @property
    def resolvers(self) -> Sequence[Mapping[str, Any]]:
        """The resolvers of software, each with its ``type`` and its options.

        There are none while they are still in a file that has to be read.
        """
        return () if isinstance(self.software, str) else self.software

    def capacity(self) -> tuple[float, int, int]:
        """Return cores, ram (MiB) and slots, those of the machine where none are set."""
        cores = self.cores or machine_cores()
        return cores, self.ram or machine_ram(), self.slots or max(1, int(cores))


def check_choice(setting: str, value: str, choices: type[StrEnum]) -> None:
    """Raise ``InvalidInputs`` for a setting that is none of those that there are."""
    if value not in set(choices):
        hint = f"there is: {', '.join(choices)}"
        problem = Problem(f"there is no {value!r}", setting, hint=hint)
        raise InvalidInputs("the settings make no sense", [problem])


def check_finite(numbers: Mapping[str, float | None]) -> None:
    """Raise ``InvalidInputs`` for each that is infinite, or no number at all."""
    problems = [
        Problem(f"{value} is not a number to reckon with", name)
        for name, value in numbers.items()
        if value is not None and not math.isfinite(value)
    ]
    if problems:
        raise InvalidInputs("some numbers make no sense", problems)


def check_by_name(setting: str, options: Any) -> None:
    """Raise ``InvalidInputs`` for options that are not given by name, and show none of them."""
    if not isinstance(options, Mapping):
        raise InvalidInputs(
            f"{setting} is {type(options).__name__}, which is not a mapping",
            hint=f"options are given by name: {setting}={{NAME: {{OPTION: ...}}}}",
        )
    wrong = [name for name, one in options.items() if not isinstance(one, Mapping)]
    if wrong:
        raise InvalidInputs(
            f"{setting} has {wrong[0]!r}, which is not a mapping",
            hint=f"options are given by name: {setting}={{NAME: {{{wrong[0]!r}: ...}}}}",
        )


def check_mail(mail: Any) -> None:
    """Raise ``InvalidInputs`` for what no mail server has, and show nothing of what is given."""
    if not isinstance(mail, Mapping):
        raise InvalidInputs("mail is not a mapping", hint=f"it may have: {', '.join(_MAIL)}")
    problems = [
        Problem("is not known", f"mail.{name}", hint=near(str(name), _MAIL, ", ".join(_MAIL)))
        for name in mail
        if name not in _MAIL
    ]
    if problems:
        raise InvalidInputs("mail cannot be sent so", problems)


def machine_cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_ram() -> int:
    """Return the machine's memory in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20)


def base_environment() -> dict[str, str]:
    """Return the environment that every tool starts with (CWL v1.2: little more than PATH).

    The folder of this Python comes first, so that tools written in Python find the packages that
    are installed beside localproc, whether its environment is activated or not.
    """
    own = os.path.dirname(sys.executable)
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return {"PATH": os.pathsep.join([own, *(one for one in folders if one != own)])}
