"""How the HTTP face is set up.

Owns the settings and their defaults. Must not know what they are used for.
"""

from dataclasses import field
from string import Formatter
from typing import Final, Literal, TypedDict, get_args

from localproc.frozen import frozen
from localproc.model import InputPolicy
from localproc.spelling import public

DismissPolicy = Literal["seed", "ogc2", "gone"]
Profile = Literal["localproc", "zoo"]
PREFIX: Final = "/{namespace}/ogc-api"


@public
@frozen
class HttpSettings:
    """Settings of the HTTP face.

    ``namespaces`` are served, the engine's own if there are none. ``prefix`` is the path that
    everything is below; ``{namespace}`` or ``{workspace}`` in it stands for one of them.
    ``base_url`` replaces scheme and host of links, for a server behind a proxy.

    ``dismiss`` says what DELETE of a job leaves behind: ``seed`` hides it (GET is 404 then),
    ``ogc2`` keeps what was dismissed and removes what had ended, ``gone`` answers 410 afterwards.
    ``profile="zoo"`` speaks with the messages of ZOO-Project. ``echo``: offer the process of that
    name, which gives back what it gets.

    ``paths``: tell folders of this machine as they are; else ``...`` stands for the home. That is
    for clients on this machine alone.

    ``require_token``: every request needs a token of its namespace. ``hosts``: the names the server
    may be called by, any if empty. ``origins``: web pages elsewhere that may use it (CORS).
    ``policy`` bounds what inputs may name. Limits: ``most_bytes`` of a body, ``most_inputs`` values
    in a request, ``most_jobs`` that have not ended in a namespace. ``sync_seconds``: how long a
    synchronous execution is waited for before it is answered like an asynchronous one. ``presign``:
    clients are sent to files in other storages by URLs that hold for so many seconds; with 0 the
    server reads the files for them.
    """

    namespaces: tuple[str, ...] = ()
    prefix: str = PREFIX
    base_url: str = ""
    title: str = "localproc"
    dismiss: DismissPolicy = "seed"
    profile: Profile = "localproc"
    echo: bool = True
    paths: bool = False
    require_token: bool = False
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    policy: InputPolicy = field(
        default_factory=lambda: InputPolicy(roots=(), guarded=True, most=16 << 30)
    )
    most_bytes: int = 10 << 20
    most_inputs: int = 10_000
    most_jobs: int = 10_000
    sync_seconds: float = 300.0
    presign: int = 0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a value that a setting cannot have."""
        for name, choices in (("dismiss", DismissPolicy), ("profile", Profile)):
            if getattr(self, name) not in get_args(choices):
                known = ", ".join(get_args(choices))
                raise ValueError(f"{name} cannot be {getattr(self, name)!r}; there is: {known}")
        for name in ("namespaces", "hosts", "origins"):
            value = getattr(self, name)
            if value == str(value):
                raise ValueError(f"{name} are several texts, not one: ({value!r},)")
        rooms = [room for room in Formatter().parse(self.template) if room[1] is not None]
        if self.template and not self.template.startswith("/"):
            raise ValueError(f"the prefix {self.prefix!r} does not begin with /")
        if any(tuple(room[1:]) != ("namespace", "", None) for room in rooms):
            raise ValueError(f"the prefix {self.prefix!r} may have {{namespace}} in it, no more")

    def root(self, namespace: str) -> str:
        """Return the path that a namespace is served below."""
        return self.template.format(namespace=namespace)

    @property
    def template(self) -> str:
        """The prefix as a route has it."""
        return self.prefix.replace("{workspace}", "{namespace}").rstrip("/")


class HttpOptions(TypedDict, total=False):
    """The settings of ``HttpSettings``, as ``create_app`` and ``Engine.client`` take them."""

    namespaces: tuple[str, ...]
    prefix: str
    base_url: str
    title: str
    dismiss: DismissPolicy
    profile: Profile
    echo: bool
    paths: bool
    require_token: bool
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    policy: InputPolicy
    most_bytes: int
    most_inputs: int
    most_jobs: int
    sync_seconds: float
    presign: int
