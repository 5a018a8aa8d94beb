"""Where a service's parameters have inputs come from and results go to.

Owns the names of these parameters (``STAGEIN_*``, ``STAGEOUT_*``) and what they are for localproc.
Must not know handlers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_NAMES: Final[Mapping[str, str]] = {
    "AWS_SERVICEURL": "endpoint",
    "AWS_REGION": "region",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


@dataclass(frozen=True, slots=True)
class Places:
    """``results`` is empty where the parameters do not say; ``options`` have keys in them."""

    results: str = ""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)


def places(given: Mapping[str, Any], platform: str) -> Places:
    """Return what parameters say of storages: those of stage-in hold for all of S3."""
    options: dict[str, dict[str, Any]] = {}
    if coming := _options(given, "STAGEIN"):
        options["s3"] = coming
    bucket = str(given.get("STAGEOUT_OUTPUT") or "").removeprefix("s3://").strip("/")
    if not bucket:
        return Places("", options)
    going = _options(given, "STAGEOUT")
    options[f"s3://{bucket.partition('/')[0]}"] = {**going, "platform": platform}
    process = str(given.get("process") or "").strip("/")
    return Places(f"s3://{bucket}/{process}" if process else f"s3://{bucket}", options)


def _options(given: Mapping[str, Any], which: str) -> dict[str, Any]:
    named = {mine: given.get(f"{which}_{theirs}") for theirs, mine in _NAMES.items()}
    found: dict[str, Any] = {mine: str(value) for mine, value in named.items() if value}
    if "endpoint" in found:
        found["addressing"] = "path"
    return found
