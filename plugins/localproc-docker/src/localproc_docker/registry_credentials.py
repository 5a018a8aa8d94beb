"""What the user's own configuration says to a registry.

Owns reading docker's ``config.json`` and podman's ``auth.json``, and asking the credential helpers
that they name. Nothing is kept, and nothing is ever logged.
"""

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.errors import ImageError

_HUB: Final = "https://index.docker.io/v1/"
_TOKEN: Final = "<token>"  #: a helper's word for "the secret is an identity token"  # noqa: S105
_PATIENCE: Final = 60.0


def header(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the ``X-Registry-Auth`` for an image; empty if the user is nobody there."""
    names = _names(reference)
    for configuration in _configurations(environ):
        if found := _found(configuration, names):
            text = json.dumps({**found, "serveraddress": names[-1]})
            return base64.urlsafe_b64encode(text.encode()).decode()
    return ""


def _configurations(environ: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    home = environ.get("HOME") or os.path.expanduser("~")
    docker = environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    places = [
        environ.get("REGISTRY_AUTH_FILE") or "",
        os.path.join(docker, "config.json"),
        os.path.join(runtime, "containers", "auth.json"),
        os.path.join(home, ".config", "containers", "auth.json"),
    ]
    for path in filter(None, places):
        try:
            with open(path, encoding="utf-8") as file:
                read = json.load(file)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise ImageError(f"{path} cannot be read: {error}") from error
        if isinstance(read, dict):
            yield read


def _names(reference: str) -> list[str]:
    """Return what a registry may be called in a configuration, the longest name first."""
    first, slash, _ = reference.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return [_HUB, "index.docker.io", "docker.io"]
    parts = reference.partition("@")[0].split("/")
    folders = ["/".join(parts[:count]) for count in range(len(parts) - 1, 1, -1)]
    return [*folders, f"https://{first}", f"http://{first}", first]


def _found(configuration: Mapping[str, Any], names: list[str]) -> dict[str, str]:
    helpers = configuration.get("credHelpers") or {}
    known = configuration.get("auths") or {}
    for name in names:
        helper = helpers.get(name) or configuration.get("credsStore")
        if helper and (said := _asked(str(helper), name)):
            return said
        if said := _written(known.get(name) or {}):
            return said
    return {}


def _written(auth: Mapping[str, Any]) -> dict[str, str]:
    """Return what an entry of ``auths`` says; one of a helper is empty."""
    if auth.get("identitytoken"):
        return {"identitytoken": str(auth["identitytoken"])}
    if auth.get("auth"):
        try:
            user, _, password = base64.b64decode(auth["auth"]).decode().partition(":")
        except ValueError as error:
            raise ImageError("an auth of the docker configuration is not base64") from error
        return {"username": user, "password": password.rstrip("\0")}
    return {}


def _asked(helper: str, name: str) -> dict[str, str]:
    """Return what a credential helper knows; it fails for what it does not know."""
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"],
            input=name,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        said = json.loads(done.stdout) if done.returncode == 0 else {}
        user, secret = said.get("Username", ""), said.get("Secret", "")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ImageError(f"{program} cannot be asked: {type(error).__name__}") from error
    if not secret:
        return {}
    if user == _TOKEN:
        return {"identitytoken": secret}
    return {"username": user, "password": secret}
