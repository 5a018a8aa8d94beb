"""Tokens that open a namespace to clients of the HTTP face.

Owns making them and telling a good one; only their digests are kept. Must not know HTTP.
"""

import hashlib
import secrets
from datetime import UTC, datetime

from localproc.errors import InvalidInputs, NotFound
from localproc.model import TokenRecord
from localproc.plugins.store import Store
from localproc.spelling import public


@public
class Tokens:
    """The tokens of a namespace."""

    def __init__(self, store: Store, namespace: str) -> None:
        self._store = store
        self._namespace = namespace

    def make(self, name: str) -> str:
        """Make a token and give its secret, which cannot be had again; replaces one so named.

        Raises ``InvalidInputs`` for a name of nothing.
        """
        if not name.strip():
            raise InvalidInputs("a token needs a name", hint="name it after who will use it")
        secret = f"lp_{secrets.token_urlsafe(32)}"
        record = TokenRecord(self._namespace, name, datetime.now(UTC))
        self._store.put_token(_digest(secret), record)
        return secret

    def all(self) -> list[TokenRecord]:
        """Return the tokens, by name."""
        return self._store.tokens(self._namespace)

    def remove(self, name: str) -> None:
        """Make a token worthless; raises ``NotFound``."""
        if not self._store.remove_token(self._namespace, name):
            raise NotFound(f"there is no token {name!r}", hint="localproc token list shows them")

    def find(self, secret: str) -> TokenRecord | None:
        """Return the token that has a secret."""
        return self._store.token(self._namespace, _digest(secret))


def _digest(secret: str) -> str:
    """Secrets are random and long, so one round of a plain digest is all they need."""
    return hashlib.sha256(secret.encode()).hexdigest()
