"""Callbacks by every way that there is.

Owns joining what they say with what delivers them. Must not know how either is done. Few engines
have any, so this is imported with the first one.
"""

from functools import partial

from localproc.engine.home.secrets import SecretKeeper
from localproc.engine.home.settings import Settings
from localproc.engine.notify.callback_documents import compose
from localproc.engine.notify.callback_sender import CallbackSender
from localproc.engine.notify.letters import send
from localproc.plugins.store import Store


def open_callbacks(store: Store, settings: Settings, secrets: SecretKeeper) -> CallbackSender:
    """Return what delivers the callbacks of a store."""
    letters = partial(send, mail=settings.mail, secrets=secrets)
    return CallbackSender(store, partial(compose, store), settings.callback_secret, letters)
