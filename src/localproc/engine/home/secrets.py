"""The secrets of a home: where each comes from, and what may be told of it.

Owns resolving a name to a value, the values that were given with jobs and are kept in memory alone,
and digests of values. Must not know what a secret is used for.

A secret is named ``NAME``, or ``NAME.MEMBER`` for a member of one that is a JSON object.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import shlex
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from localproc.errors import INSTALL, InvalidInputs, Problem, SecretUnavailable

REFERENCE: Final = re.compile(r"\(?secret:([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?)\)?")
_SOURCES: Final = ("env", "file", "command", "keyring")
_SHORTEST: Final = 4
_KEPT: Final = 60.0  #: seconds for which what a command said is used again
_PATIENCE: Final = 30.0
_PREFIX: Final = "LOCALPROC_SECRET_"

#: How names begin of values that were given with jobs.
GIVEN: Final = "given-"


def secret_name(text: Any) -> str:
    """Return the name in ``secret:NAME`` or ``(secret:NAME)``; empty for anything else."""
    found = REFERENCE.fullmatch(text) if isinstance(text, str) else None
    return found[1] if found else ""


def check_sources(sources: Any) -> None:
    """Raise ``InvalidInputs`` for sources of secrets that make no sense."""
    hint = "secrets: {NAME: {file: PATH}}, or env, command or keyring in place of file"
    if not isinstance(sources, Mapping):
        raise InvalidInputs("secrets are given by name", hint=hint)
    problems = []
    for name, source in sources.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", str(name)):
            problems.append(Problem("is no name for a secret", f"secrets.{name}"))
        elif not isinstance(source, Mapping) or len(source) != 1 or set(source) - {*_SOURCES}:
            said = f"has not one of {', '.join(_SOURCES)}"
            problems.append(Problem(said, f"secrets.{name}"))
    if problems:
        raise InvalidInputs("some secrets cannot be had", problems, hint=hint)


class SecretKeeper:
    """Resolves names; ``sources`` are those of the settings, ``salt`` the path of the home's salt.

    Any thread may use it. Nothing that it is given is written anywhere.
    """

    def __init__(self, sources: Mapping[str, Mapping[str, Any]], salt: str) -> None:
        self._sources = sources
        self._salt_path = salt
        self._salt = b""
        self._given: dict[str, str] = {}
        self._said: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<secrets {', '.join(self._sources)}>"

    def take(self, value: str) -> str:
        """Keep a value in memory; return the name it has from now on."""
        check_value("given", value)
        name = f"{GIVEN}{secrets.token_hex(8)}"
        with self._lock:
            self._given[name] = value
        return name

    def forget(self, names: Any) -> None:
        """Forget values that were given."""
        with self._lock:
            for name in names:
                self._given.pop(name, None)

    def missing(self, name: str) -> str:
        """Say why a secret cannot be had, as far as that is seen at a glance; empty if it can."""
        base = name.partition(".")[0]
        source = self._sources.get(base)
        if base in self._given or (source is not None and not {"env", "file"} & set(source)):
            return ""
        try:
            self.get(name)
        except SecretUnavailable as error:
            return f"{error.message}: {error.hint}"
        return ""

    def get(self, name: str) -> str:
        """Return a secret's value; it may take a while. Raises ``SecretUnavailable``."""
        base, _, member = name.partition(".")
        with self._lock:
            value = self._given.get(base)
        if value is None:
            value = self._ask(base)
        if member:
            value = _member(name, value, member)
        return check_value(name, value)

    def digest(self, name: str) -> str:
        """Return what tells a secret's value from others, and nothing of it."""
        return hmac.digest(self._home_salt(), self.get(name).encode(), hashlib.sha256).hex()

    def _ask(self, name: str) -> str:
        source = self._sources.get(name)
        if source is None:
            source = {"env": variable_of(name)}
        if "env" in source:
            return _from_environment(name, str(source["env"]))
        if "file" in source:
            return _from_file(name, str(source["file"]))
        with self._lock:
            until, value = self._said.get(name, (0.0, ""))
        if time.monotonic() < until:
            return value
        if "command" in source:
            value = _from_command(name, source["command"])
        else:
            value = _from_keyring(name, str(source["keyring"]), str(source.get("user", "")))
        with self._lock:
            self._said[name] = (time.monotonic() + _KEPT, value)
        return value

    def _home_salt(self) -> bytes:
        """Return the home's salt; it is made when it is needed first, once for all engines."""
        if not self._salt:
            made = f"{self._salt_path}.{secrets.token_hex(4)}"
            if not os.path.exists(self._salt_path):
                file = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(file, "wb") as new:
                    new.write(secrets.token_bytes(32))
                try:
                    os.link(made, self._salt_path)  # whoever comes second takes the first one's
                except FileExistsError:
                    pass
                finally:
                    os.remove(made)
            with open(self._salt_path, "rb") as kept:
                self._salt = kept.read()
        return self._salt


def variable_of(name: str) -> str:
    """Return the variable that a secret is taken from if the settings say nothing of it."""
    return _PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


def check_value(name: str, value: str) -> str:
    """Return a value that can be hidden; raises ``SecretUnavailable`` for any other."""
    if len(value) < _SHORTEST or "\0" in value:
        raise SecretUnavailable(
            f"the secret {name} cannot be used",
            hint=f"it has at least {_SHORTEST} characters and no zero: others cannot be kept out "
            "of logs",
        )
    return value


def _from_environment(name: str, variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise SecretUnavailable(
            f"the secret {name} is not there",
            hint=f"set the variable {variable}, or name a source of it in settings.yml",
        )
    return value


def _from_file(name: str, path: str) -> str:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return file.read().removesuffix("\n")
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SecretUnavailable(
            f"the secret {name} cannot be read", hint=f"its file is {path}: {said}"
        ) from None


def _from_command(name: str, command: Any) -> str:
    argv = shlex.split(command) if isinstance(command, str) else [str(one) for one in command]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
        text = done.stdout.decode().removesuffix("\n")
        said = "" if done.returncode == 0 else f"it ended with {done.returncode}"
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said, text = type(error).__name__, ""  # its text may have what the command has said
    if said:
        raise SecretUnavailable(
            f"the secret {name} cannot be had", hint=f"its command is {argv[:1]}: {said}"
        )
    return text


def _from_keyring(name: str, service: str, user: str) -> str:
    try:
        import keyring
    except ModuleNotFoundError:
        raise SecretUnavailable(
            f"the secret {name} is in a keyring, and keyring is not installed",
            hint=INSTALL.format(extra="keyring"),
        ) from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # each of its backends has errors of its own
        said: str | None = f"the keyring says {type(error).__name__}"
        value = None
    else:
        said = None
    if value is None:
        hint = said or f"it has none for the service {service!r} and the user {user!r}"
        raise SecretUnavailable(f"the secret {name} cannot be had", hint=hint)
    return str(value)


def _member(name: str, value: str, member: str) -> str:
    try:
        found = json.loads(value)[member]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str):
        base = name.partition(".")[0]
        raise SecretUnavailable(
            f"the secret {name} cannot be had",
            hint=f"{base} is no JSON object with a text {member}",
        )
    return found
