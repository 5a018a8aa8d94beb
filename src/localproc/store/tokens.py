"""The table of tokens: their hashes alone.

Owns its statements. Must not know what a token looks like.
"""

from localproc.model import TokenRecord
from localproc.store import rows
from localproc.store.database import Database


class TokenTable(Database):
    """Tokens."""

    def put_token(self, digest: str, token: TokenRecord) -> None:
        """Record a token; one of the same name is replaced."""
        with self.transaction() as db:
            db.execute(
                "DELETE FROM tokens WHERE namespace = ? AND name = ?", (token.namespace, token.name)
            )
            db.execute(
                "INSERT INTO tokens (hash, namespace, name, created) VALUES (?, ?, ?, ?)",
                (digest, token.namespace, token.name, rows.micros(token.created)),
            )

    def token(self, namespace: str, digest: str) -> TokenRecord | None:
        """Return the token that has a digest."""
        with self.reading() as db:
            row = db.execute(
                "SELECT * FROM tokens WHERE hash = ? AND namespace = ?", (digest, namespace)
            ).fetchone()
        return None if row is None else rows.token_from(row)

    def tokens(self, namespace: str) -> list[TokenRecord]:
        """Return the tokens of a namespace, by name."""
        with self.reading() as db:
            found = db.execute(
                "SELECT * FROM tokens WHERE namespace = ? ORDER BY name", (namespace,)
            ).fetchall()
        return [rows.token_from(row) for row in found]

    def remove_token(self, namespace: str, name: str) -> bool:
        """Forget a token; whether there was one."""
        with self.transaction() as db:
            gone = db.execute(
                "DELETE FROM tokens WHERE namespace = ? AND name = ?", (namespace, name)
            )
        return gone.rowcount > 0
