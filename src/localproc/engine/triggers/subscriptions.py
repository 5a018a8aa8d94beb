"""The subscriptions of a namespace, as programs and people hold them.

Owns adding, changing and showing them, and taking in signed webhooks. Must not know how events are
found.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, Unpack

from localproc.cwl.base.reading import read_written_json
from localproc.engine.home.cwd import current_folder
from localproc.engine.home.home import check_namespace
from localproc.engine.home.secrets import secret_name
from localproc.engine.namespace import Namespace
from localproc.engine.triggers.accepting import TriggeredJobs, checked_options
from localproc.engine.triggers.kept import KeptTriggers
from localproc.engine.triggers.references import unknown_facts
from localproc.engine.triggers.subscriber import Subscriber
from localproc.engine.triggers.subscription import FACTS, Subscription
from localproc.errors import InvalidInputs, NoSuchSubscription, Problem
from localproc.model import ProcessRecord
from localproc.model.trigger import TriggerRecord
from localproc.near import near
from localproc.spelling import public

KIND: Final = "subscription"
_OLDEST: Final = 300  #: seconds that a webhook may have been under way


class SubscriptionOptions(TypedDict, total=False):
    """Options of ``subscriptions.add``, the members of ``Subscription``."""

    every: float
    enabled: bool
    run_as: str
    options: Mapping[str, Any]


@public
class Subscriptions(KeptTriggers):
    """The subscriptions of one namespace."""

    kind = KIND
    missing = NoSuchSubscription

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(namespace)
        self._runtime = namespace.runtime
        self._triggered = TriggeredJobs(namespace)
        self._subscriber = Subscriber(self._store, self._triggered)

    def add(
        self,
        name: str,
        when: Mapping[str, Any],
        target: Mapping[str, Any],
        *,
        replace_it: bool = False,
        **members: Unpack[SubscriptionOptions],
    ) -> Subscription:
        """Add a subscription; what is there already is no news, unless ``when`` says ``existing``.

        ``members`` are those of ``Subscription``. Raises ``InvalidInputs``, also for inputs that
        the process has not and facts that such an event has not, and ``NoSuchProcess``.
        """
        data = {"name": check_namespace(name), "when": when, "target": target, **members}
        subscription = _placed(Subscription.from_data(data))
        if not replace_it:
            self._check_new(name)
        if "process" in subscription.target:
            record = self._namespace.processes.get(str(subscription.target["process"]))
            _check_inputs(subscription, record)
            options = {"base": current_folder(), **subscription.options}
            kept = checked_options(self._namespace, record, {}, options, complete=False)
            subscription = replace(subscription, options=kept.options)
        if subscription.event == "webhook":
            secret = secret_name(subscription.when["secret"])
            why = self._runtime.secrets.missing(secret) if secret else "is no secret:NAME"
            if why:
                problem = Problem(why, "when.secret")
                raise InvalidInputs("the subscription cannot be kept", [problem])
        now = datetime.now(UTC)
        is_new = self._find(name) is None
        state = {"since": now.isoformat()}
        if is_new:  # nobody looks before it is known what is there
            self._put(replace(subscription, enabled=False), due=now, state=state)
            try:
                self._subscriber.begin(subscription, self._trigger(name), now)
            except BaseException:
                self.remove(name)
                raise
        self._put(subscription, due=now, state=state)
        return subscription

    def all(self) -> list[Subscription]:
        """Return them, by name."""
        return [Subscription.from_data(one.definition) for one in self._records()]

    def get(self, name: str) -> Subscription:
        """Return one; raises ``NoSuchSubscription``."""
        return Subscription.from_data(self._trigger(name).definition)

    def enable(self, name: str, *, enabled: bool = True) -> None:
        """Have one take notice of events, or no more; raises ``NoSuchSubscription``."""
        self._put(replace(self.get(name), enabled=enabled), due=datetime.now(UTC))

    def take(self, name: str, headers: Mapping[str, str], body: bytes) -> str | None:
        """Take a webhook in, signed the way of Standard Webhooks; return the job it becomes.

        ``None`` if it has come before, or becomes none. Raises ``NoSuchSubscription``, also for a
        signature that is wrong, and ``InvalidInputs`` for a body that is no JSON.
        """
        trigger = self._trigger(name)
        subscription = Subscription.from_data(trigger.definition)
        if subscription.event != "webhook" or not subscription.enabled:
            raise NoSuchSubscription(name)
        now = datetime.now(UTC)
        secret = self._runtime.secrets.get(secret_name(subscription.when["secret"]))
        if not is_genuine(secret, headers, body, now):
            raise NoSuchSubscription(name)
        try:
            document = read_written_json(body)
        except ValueError:
            raise InvalidInputs("the body of the webhook is no JSON") from None
        facts = {"event": "webhook", "id": headers["webhook-id"], "body": document}
        jobs = self._subscriber.came(trigger, headers["webhook-id"], facts, now)
        self._triggered.begin(jobs or ())
        if "process" not in subscription.target:
            self._runtime.ring_callbacks()
        return jobs[0] if jobs else None

    def _put(
        self,
        subscription: Subscription,
        due: datetime,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        waits = subscription.event == "webhook"  # nobody has to look for it
        self._store.put_trigger(
            TriggerRecord(
                namespace=self._namespace.name,
                kind=KIND,
                name=subscription.name,
                definition=subscription.to_data(),
                enabled=subscription.enabled,
                due=None if waits else due,
                state=state or {},
            )
        )


def _check_inputs(subscription: Subscription, record: ProcessRecord) -> None:
    """Raise ``InvalidInputs`` for inputs that could be none of the process, whatever happens."""
    inputs, known = subscription.target.get("inputs", {}), record.description["inputs"]
    problems = [
        Problem(f"there is no input {name!r}", f"target.inputs.{name}", hint=near(name, known))
        for name in inputs
        if name not in known
    ]
    problems += unknown_facts(inputs, FACTS[subscription.event], "target.inputs")
    if problems:
        raise InvalidInputs("the subscription cannot be kept", problems)


def _placed(subscription: Subscription) -> Subscription:
    """Return a subscription whose folder is the same wherever it is looked at."""
    folder = str(subscription.when.get("folder", ""))
    if not folder or "://" in folder or folder.startswith("file:"):
        return subscription
    path = os.path.join(current_folder(), os.path.expanduser(folder))
    return replace(subscription, when={**subscription.when, "folder": os.path.normpath(path)})


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Return whether a webhook was signed with a secret, and not long ago."""
    number, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not number or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 15:
        return False
    if abs(now.timestamp() - int(stamp)) > _OLDEST:
        return False
    signed = f"{number}.{stamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one.encode(), f"v1,{digest}".encode()) for one in given)
