"""What is told to whoever subscribed to a job, and what opens a namespace.

Owns the words for both. Must not know how anything is told, nor what a secret is checked against.
"""

from datetime import datetime

from localproc.frozen import frozen


@frozen
class Callback:
    """A message to a subscriber of a job that is still to be delivered.

    ``kind`` is the subscriber's member that names the address: ``successUri``, ``inProgressUri`` or
    ``failedUri``. ``number`` is its own in the outbox for as long as it is there,
    ``attempts`` counts the one under way too.
    """

    job_id: str
    uri: str
    kind: str
    number: int = 0
    attempts: int = 0


@frozen
class TokenRecord:
    """A token that opens a namespace; its secret is known to its owner alone."""

    namespace: str
    name: str
    created: datetime
