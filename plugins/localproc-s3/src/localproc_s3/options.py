"""The options of the storage.

Owns their names and reading them. Must not know what is done with them.

What is not given comes from where botocore finds it for every other program: ``AWS_*`` variables,
``~/.aws/config`` and ``~/.aws/credentials``, the machine's or the container's own role.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import EnvironmentProblem
from localproc.storage.pace import MEANING, SLOWEST, slowest_of

OPTIONS: Final[Mapping[str, str]] = {
    "endpoint": "the server's URL, as in AWS_ENDPOINT_URL; AWS's own if there is none",
    "region": "as in AWS_DEFAULT_REGION",
    "profile": "the profile of ~/.aws/config and ~/.aws/credentials, as in AWS_PROFILE",
    "key": "the access key's id, if it is in no variable and no file of AWS's",
    "secret": "the secret access key",
    "token": "the session token that belongs to a temporary key",
    "anonymous": "true: ask without a key, for buckets that are open to everybody",
    "requester_pays": "true: pay for what is read from a bucket whose owner does not",
    "addressing": "path, virtual (bucket.host) or auto",
    "client": "s3fs, or obstore if it is installed: faster with many small files",
    "upload": "what S3 is told of each object besides, such as {ServerSideEncryption: aws:kms}",
    "fields": "which fields items get: eoepca (storage:platform, ...) or v2 of the extension",
    "platform": "what storage:platform says",
    "public_endpoint": "the server's URL as others see it, in storage:endpoint",
    "slowest": MEANING,
    "guarded": "set by the engine",
}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "addressing": ("auto", "path", "virtual"),
    "client": ("s3fs", "obstore"),
    "fields": ("eoepca", "v2"),
}
#: What an endpoint has to be.
ENDPOINT: Final = "it is http(s)://host:port; keys belong into the options key and secret"
_FLAGS: Final = ("anonymous", "requester_pays")


@dataclass(frozen=True, slots=True)
class S3Options:
    """The options, all of them; nothing secret is shown."""

    endpoint: str = ""
    region: str = ""
    profile: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    anonymous: bool = False
    requester_pays: bool = False
    addressing: str = "auto"
    client: str = "s3fs"
    upload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fields: str = "eoepca"
    platform: str = "eoap"
    public_endpoint: str = ""
    slowest: float = SLOWEST

    def __reduce__(self) -> Any:
        raise TypeError("the options of a storage are not to be pickled: there are keys in them")


def read(options: Mapping[str, Any]) -> S3Options:
    """Return options; raises ``EnvironmentProblem`` for those that make no sense.

    A value is never repeated: it may be a key that stands in the wrong place.
    """
    for name, value in options.items():
        if name not in OPTIONS:
            raise _wrong(f"has no option {name!r}", f"it has {', '.join(OPTIONS)}")
        if name in _FLAGS and not isinstance(value, bool):
            raise _wrong(f"cannot have this {name}", "it is true or false")
        if name == "upload" and not isinstance(value, Mapping):
            raise _wrong("cannot have this upload", "it is a mapping of S3's names to values")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise _wrong(f"cannot have this {name}", f"it is {' or '.join(_CHOICES[name])}")
        if name not in (*_FLAGS, "upload", "slowest", "guarded") and not isinstance(value, str):
            raise _wrong(f"cannot have this {name}", "it is a text")
    given = {name: value for name, value in options.items() if name != "guarded"}
    if bool(given.get("key")) != bool(given.get("secret")):
        raise _wrong("needs a key and its secret", "give both, or none of them")
    for name in ("endpoint", "public_endpoint"):
        if given.get(name) and not is_plain(given[name]):
            raise _wrong(f"cannot have this {name}", ENDPOINT)
    return S3Options(**given | {"slowest": slowest_of(given)})


def is_plain(endpoint: str) -> bool:
    """Whether a server's URL can be shown in items: no user, no password and no query in it."""
    parts = urlsplit(endpoint)
    is_web = parts.scheme in ("http", "https") and bool(parts.netloc)
    return is_web and not set("@?#") & set(endpoint)


def _wrong(what: str, hint: str) -> EnvironmentProblem:
    return EnvironmentProblem(f"the storage s3 {what}", hint=hint)
