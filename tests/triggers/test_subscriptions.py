"""Subscriptions: what is done when something happens, once for each time that it does."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiosmtpd.controller import Controller

from localproc import Engine, InvalidInputs, Job, hookimpl
from localproc.engine.engine import namespace_of
from localproc.engine.triggers.accepting import TriggeredJobs
from localproc.engine.triggers.references import with_facts
from localproc.engine.triggers.subscriber import Subscriber
from localproc.engine.triggers.subscription import Subscription
from localproc.errors import NoSuchSubscription, StoreLocked
from localproc.model import Event, JobRecord, Kind
from localproc.store import SqliteStore
from tests.engine.folder_storage import Boxes
from tests.patience import patient, until
from tests.triggers.killing import ECHO, serving, watch_under_kills

FAILING: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "failing",
    "baseCommand": "false",
    "inputs": {},
    "outputs": {},
}
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home", slots=2) as engine:
        engine.deploy(ECHO)
        engine.deploy(FAILING)
        yield engine


class Looking:
    """Looks for what a subscription waits for, when it is told to."""

    def __init__(self, engine: Engine) -> None:
        self.space = namespace_of(engine)
        self.store = self.space.runtime.store
        self.triggered = TriggeredJobs(self.space)
        self.subscriber = Subscriber(self.store, self.triggered)

    def look(self, name: str, now: datetime | None = None) -> list[str]:
        (trigger,) = self.store.triggers("default", "subscription", name)
        jobs = list(self.subscriber.look(trigger, now or datetime.now(UTC)))
        self.triggered.begin(jobs)
        return jobs


def echoed(engine: Engine) -> Counter[str]:
    """Return what jobs of the echo process were given."""
    jobs = engine.jobs(process="echo", limit=10_000)
    return Counter(str(job.inputs["text"]) for job in jobs)


def wait_for(engine: Engine, count: int) -> None:
    """Wait until so many jobs have been set off."""
    until(lambda: echoed(engine).total() >= count)


def test_facts_become_inputs() -> None:
    event = {"id": "A", "properties": {"eo:cloud_cover": 3}, "assets": [{"href": "x"}]}
    asked = {
        "a": "$(event.id)",
        "b": ["item $(event.id) of $(event.assets[0].href)"],
        "c": "$(event.properties)",
        "d": "$(event.properties['eo:cloud_cover'])",
        "e": "costs $(5)",
        "f": 7,
    }
    assert with_facts(asked, event) == {
        "a": "A",
        "b": ["item A of x"],
        "c": {"eo:cloud_cover": 3},
        "d": 3,
        "e": "costs $(5)",
        "f": 7,
    }
    with pytest.raises(InvalidInputs, match=r"no \$\(event\.colour\)"):
        with_facts("$(event.colour)", event)


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"when": {"event": "rain"}}, "when.event"),
        ({"when": {"event": "failed"}}, "when.process"),
        ({"when": {"event": "file", "folder": "/x", "colour": 1}}, "when.colour"),
        ({"when": {"event": "file", "folder": "/x", "settled": "long"}}, "when.settled"),
        ({"when": {"event": "late", "process": "p", "cron": "x"}}, "cron"),
        ({"target": {}}, "target"),
        ({"target": {"mail": "a@b", "webhook": "http://x"}}, "target"),
        ({"target": {"mail": "nobody"}}, "target.mail"),
        ({"target": {"webhook": "file:///x"}}, "target.webhook"),
        ({"target": {"command": "rm -rf /"}}, "target.command"),
        ({"every": 0}, "every"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_makes_no_sense_is_told(members: dict[str, Any], where: str) -> None:
    whole = {
        "name": "s",
        "when": {"event": "failed", "process": "p"},
        "target": {"mail": "a@example.org"},
        **members,
    }
    with pytest.raises(InvalidInputs) as refused:
        Subscription.from_data(whole)
    assert where in [one.where for one in refused.value.problems]


@pytest.mark.parametrize(
    ("members", "where", "meant"),
    [
        ({"enabledd": True}, "enabledd", "enabled"),
        ({"when": {"evnt": "failed"}}, "when.evnt", "event"),
        ({"when": {"event": "faild"}}, "when.event", "failed"),
        ({"when": {"event": "failed", "proces": "p"}}, "when.proces", "process"),
        ({"target": {"comand": ["true"]}}, "target.comand", "command"),
    ],
)
def test_what_is_misspelt_is_told_with_what_was_meant(
    members: dict[str, Any], where: str, meant: str
) -> None:
    whole = {"name": "s", "when": {"event": "webhook"}, "target": {"mail": "a@b"}, **members}
    with pytest.raises(InvalidInputs) as refused:
        Subscription.from_data(whole)
    hints = {one.where: one.hint for one in refused.value.problems}
    assert hints[where] == f"did you mean {meant!r}?"


# Ends of jobs


@pytest.mark.parametrize(
    ("inputs", "where", "hint"),
    [
        ({"text": "$(event.nme)"}, "target.inputs.text", "did you mean 'name'?"),
        ({"text": ["of $(event['siz'])"]}, "target.inputs.text[0]", "did you mean 'size'?"),
        ({"text": "$(event[0])"}, "target.inputs.text", "event has event, path, uri, name, size"),
        ({"txt": "$(event.name)"}, "target.inputs.txt", "did you mean 'text'?"),
    ],
)
def test_what_no_event_or_process_has_is_told_when_a_subscription_is_added(
    engine: Engine, tmp_path: Path, inputs: dict[str, Any], where: str, hint: str
) -> None:
    when = {"event": "file", "folder": str(tmp_path)}
    with pytest.raises(InvalidInputs) as refused:
        engine.subscriptions.add("s", when, {"process": "echo", "inputs": inputs})
    [problem] = refused.value.problems
    assert problem.where == where
    assert problem.hint.startswith(hint)
    assert engine.subscriptions.all() == []


def test_a_job_that_has_ended_sets_another_one_off(engine: Engine) -> None:
    told = {"process": "echo", "inputs": {"text": "$(event.process): $(event.status)"}}
    for event in ("succeeded", "failed"):
        engine.subscriptions.add(event, {"event": event, "process": "fail*"}, told)
    failed = engine.execute("failing").wait()
    looking = Looking(engine)
    (job_id,) = looking.look("failed")
    assert looking.look("failed") == []
    assert looking.look("succeeded") == []
    job = engine.job(job_id)
    assert job.inputs == {"text": "failing: failed"}
    assert job.record.trigger == "subscription"
    assert job.record.reason == f"subscription(failed,{failed.id})"
    (seen,) = engine.subscriptions.history("failed")
    assert (seen.key, seen.job_id) == (failed.id, job_id)
    engine.resume()
    assert job.wait(patient(30)).status == "successful"


def test_what_happened_before_is_no_news(engine: Engine) -> None:
    engine.execute("failing").wait()
    now = datetime.now(UTC) + timedelta(seconds=1)
    engine.subscriptions.add("s", {"event": "failed", "process": "*"}, {"mail": "a@example.org"})
    Looking(engine).look("s", now)
    assert engine.subscriptions.history("s") == []


def test_one_that_is_late_and_one_that_never_came(engine: Engine) -> None:
    target = {"command": ["true"]}
    daily = {"process": "echo", "cron": "0 12 * * *"}
    engine.subscriptions.add("late", {"event": "late", "tolerance": 600, **daily}, target)
    engine.subscriptions.add("missing", {"event": "missing", **daily}, target)
    looking = Looking(engine)
    begin = datetime.now(UTC)
    noon = begin.replace(hour=12, minute=0, second=0, microsecond=0)
    noon += timedelta(days=1 if noon <= begin else 0)

    def seen(name: str) -> list[str]:
        return sorted(one.key for one in engine.subscriptions.history(name))

    for hours in (0, 0.1):
        looking.look("late", noon + timedelta(hours=hours))
        looking.look("missing", noon + timedelta(hours=hours))
    assert seen("late") == seen("missing") == []
    for hours in (0.2, 1, 23):  # the tolerance is over
        looking.look("late", noon + timedelta(hours=hours))
        looking.look("missing", noon + timedelta(hours=hours))
    assert seen("late") == [noon.isoformat()]
    assert seen("missing") == []
    for hours in (24, 24.5, 25):
        looking.look("late", noon + timedelta(hours=hours))
        looking.look("missing", noon + timedelta(hours=hours))
    assert seen("missing") == [noon.isoformat()]
    assert seen("late") == [noon.isoformat(), (noon + timedelta(days=1)).isoformat()]


def test_one_that_came_in_time_is_neither_late_nor_missing(engine: Engine) -> None:
    looking = Looking(engine)
    begin = datetime.now(UTC)
    due = (begin + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    hourly = {"process": "echo", "cron": f"0 {due.hour} * * *"}
    target = {"command": ["true"]}
    engine.subscriptions.add("late", {"event": "late", "tolerance": 60, **hourly}, target)
    engine.subscriptions.add("missing", {"event": "missing", **hourly}, target)
    engine.execute("echo", {"text": "in time"}).wait()
    for hours in (0.5, 25):
        looking.look("late", due + timedelta(hours=hours) if hours < 1 else due)
        looking.look("missing", due + timedelta(hours=hours - 1))
    assert engine.subscriptions.history("late") == []
    assert engine.subscriptions.history("missing") == []


# Files


def test_each_version_of_a_file_sets_off_one_job(engine: Engine, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "deep").mkdir(parents=True)
    (inbox / "old.txt").write_text("was there")
    when = {"event": "file", "folder": str(inbox), "pattern": "*.txt", "settled": 0}
    target = {"process": "echo", "inputs": {"text": "$(event.name) $(event.size)"}}
    engine.subscriptions.add("s", when, target)
    looking = Looking(engine)
    assert looking.look("s") == []
    (inbox / "a.txt").write_text("1")
    (inbox / "deep" / "b.txt").write_text("22")
    for name in (".hidden.txt", "c.txt.part", "d.tif"):
        (inbox / name).write_text("no")
    assert len(looking.look("s")) == 2
    assert looking.look("s") == []
    (inbox / "a.txt").write_text("333")
    (inbox / "a.txt").rename(inbox / "renamed.txt")
    (inbox / "old.txt").unlink()
    assert len(looking.look("s")) == 1
    assert echoed(engine) == {"a.txt 1": 1, "b.txt 2": 1, "renamed.txt 3": 1}


def test_pipes_are_no_files(engine: Engine, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    os.mkfifo(inbox / "pipe")
    (inbox / "a.txt").write_text("1")
    (inbox / "link").symlink_to("a.txt")
    (inbox / "nowhere").symlink_to("gone")
    when = {"event": "file", "folder": str(inbox), "settled": 0, "existing": True}
    engine.subscriptions.add("s", when, {"process": "echo", "inputs": {"text": "$(event.name)"}})
    assert len(Looking(engine).look("s")) == 2
    assert echoed(engine) == {"a.txt": 1, "link": 1}


def test_a_file_that_is_being_written_is_waited_for(engine: Engine, tmp_path: Path) -> None:
    when = {"event": "file", "folder": str(tmp_path / "inbox"), "settled": 30}
    engine.subscriptions.add("s", when, {"process": "echo", "inputs": {"text": "$(event.name)"}})
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a").write_text("x")
    looking = Looking(engine)
    assert looking.look("s") == []
    assert len(looking.look("s", datetime.now(UTC) + timedelta(seconds=31))) == 1


def test_a_folder_is_watched_though_the_watcher_is_killed(tmp_path: Path) -> None:
    """Files are written, renamed and written again; each version sets off one job."""
    assert watch_under_kills(tmp_path, rounds=2, each=10) == 20


# STAC


class StacApi:
    """A search of a STAC API, two items a page; ``items`` grows.

    ``asked`` are the pages that it was asked for. One that is ``held`` is not answered for.
    """

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.asked: list[int] = []
        self.held: set[int] = set()
        self.is_away = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/search"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def grow(self, *numbers: int, collection: str = "S2", **properties: str) -> None:
        for number in numbers:
            when = {"datetime": f"2026-11-{number:02}T00:00:00Z"}
            self.items.append(
                {
                    "type": "Feature",
                    "id": f"item-{number}",
                    "collection": collection,
                    "properties": when | properties,
                    "links": [{"rel": "self", "href": f"/items/{number}"}],
                }
            )

    def page(self, query: Mapping[str, list[str]]) -> dict[str, Any]:
        number = int(query.get("page", ["0"])[0])
        self.asked.append(number)
        until(lambda: number not in self.held)
        newest_first = query.get("sortby") == ["-properties.created"]
        found = self.items[::-1] if newest_first else self.items
        more = urlencode({**query, "page": number + 1}, doseq=True)
        is_last = number * 2 + 2 >= len(found)
        return {
            "type": "FeatureCollection",
            "features": found[number * 2 : number * 2 + 2],
            "links": [] if is_last else [{"rel": "next", "href": f"/search?{more}"}],
        }

    def handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(outer.page(parse_qs(urlsplit(self.path).query))).encode()
                with contextlib.suppress(OSError):  # whoever asked may have been killed
                    self.send_response(503 if outer.is_away else 200)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def api() -> Iterator[StacApi]:
    api = StacApi()
    yield api
    api.server.shutdown()
    api.server.server_close()


def test_each_item_of_a_search_that_grows_sets_off_one_job(engine: Engine, api: StacApi) -> None:
    api.grow(1)
    when = {"event": "stac", "url": api.url, "collections": ["S2"]}
    inputs = {"text": "$(event.id) $(event.collection) $(event.datetime)"}
    engine.subscriptions.add("s", when, {"process": "echo", "inputs": inputs})
    looking = Looking(engine)
    assert looking.look("s") == []
    api.grow(2, 3, 4)
    api.grow(9, collection="other")
    assert len(looking.look("s")) == 3
    api.is_away = True
    api.grow(5)
    assert looking.look("s") == []
    api.is_away = False
    assert len(looking.look("s")) == 1
    assert looking.look("s") == []
    expected = {f"item-{n} S2 2026-11-{n:02}T00:00:00Z": 1 for n in (2, 3, 4, 5)}
    assert echoed(engine) == expected
    (trigger,) = looking.store.triggers("default", "subscription", "s")
    assert trigger.due is not None


def test_an_item_that_lacks_a_fact_keeps_nobody_waiting(engine: Engine, api: StacApi) -> None:
    api.grow(1, cloud="10")
    api.grow(2)
    api.grow(3, cloud="30")
    when = {"event": "stac", "url": api.url, "existing": True}
    text = "$(event.id) has $(event.properties.cloud)"
    engine.subscriptions.add("s", when, {"process": "echo", "inputs": {"text": text}})
    looking = Looking(engine)
    assert len(looking.look("s")) == 2
    assert looking.look("s") == []
    assert echoed(engine) == {"item-1 has 10": 1, "item-3 has 30": 1}
    (lacking,) = [one for one in engine.subscriptions.history("s") if not one.job_id]
    assert lacking.key == "S2/item-2"
    assert "there is no $(event.properties.cloud)" in lacking.said


def test_an_event_waits_for_a_store_that_somebody_holds(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    when = {"event": "file", "folder": str(inbox), "settled": 0}
    engine.subscriptions.add("s", when, {"process": "echo", "inputs": {"text": "$(event.name)"}})
    looking, refused = Looking(engine), list[str]()
    find = SqliteStore.process

    def process(store: SqliteStore, *given: Any) -> Any:
        if not refused:
            refused.append("process")
            raise StoreLocked("somebody has it")
        return find(store, *given)

    (inbox / "a").touch()
    monkeypatch.setattr(SqliteStore, "process", process)
    assert looking.look("s") == []
    assert len(looking.look("s")) == 1
    assert refused


def test_items_of_one_moment_are_told_apart(engine: Engine, api: StacApi) -> None:
    looking = looking_at(engine, api.url)
    api.grow(*range(1, 8), datetime="2026-11-28T00:00:00Z")
    assert len(looking.look("s")) == 7
    api.grow(8, 9, datetime="2026-11-28T00:00:00Z")
    api.grow(10, datetime="1999-01-01T00:00:00Z")  # an old one that comes late
    assert len(looking.look("s")) == 3
    assert echoed(engine) == {f"item-{n} S2": 1 for n in range(1, 11)}


def test_an_item_that_changes_is_news_where_that_is_asked_for(engine: Engine, api: StacApi) -> None:
    api.grow(1, 2, updated="2026-11-01T00:00:00Z")
    once, again = looking_at(engine, api.url), looking_at(engine, api.url, "again", changes=True)
    api.items[0]["properties"]["updated"] = "2026-11-02T00:00:00Z"
    assert once.look("s") == []
    assert len(again.look("again")) == 1
    assert again.look("again") == []
    api.items[0]["properties"]["updated"] = "2026-11-03T00:00:00Z"
    assert len(again.look("again")) == 1
    assert once.look("s") == []


def test_a_search_that_gives_the_newest_first_is_read_as_far_as_there_is_news(
    engine: Engine, api: StacApi
) -> None:
    api.grow(*range(1, 10))
    looking = looking_at(engine, f"{api.url}?sortby=-properties.created")
    for numbers, pages in (((), [0]), ((11, 12, 13), [0, 1, 2])):
        api.grow(*numbers)
        api.asked.clear()
        assert len(looking.look("s")) == len(numbers)
        assert api.asked == pages
    api.is_away = True
    assert looking.look("s") == []
    api.is_away = False
    api.asked.clear()
    assert looking.look("s") == []
    assert len(api.asked) == 6  # nobody knows what the last look has missed


def test_whoever_watches_a_search_is_killed_between_two_pages(tmp_path: Path, api: StacApi) -> None:
    home = tmp_path / "home"
    with Engine(home, run_jobs=False) as engine:
        engine.deploy(ECHO)
        looking_at(engine, f"{api.url}?sortby=-properties.created")
        api.grow(*range(1, 8))
        api.held.add(2)
        with serving(home):
            until(lambda: 2 in api.asked)
            assert echoed(engine).total() == 4  # those of two pages
        api.grow(8)
        api.held.clear()
        with serving(home):
            wait_for(engine, 8)
        assert echoed(engine) == {f"item-{n} S2": 1 for n in range(1, 9)}


def looking_at(engine: Engine, url: str, name: str = "s", **members: Any) -> Looking:
    """Subscribe to a search."""
    target = {"process": "echo", "inputs": {"text": "$(event.id) $(event.collection)"}}
    when = {"event": "stac", "url": url, **members}
    engine.subscriptions.add(name, when, target, every=0.1)
    return Looking(engine)


# Letters


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_webhook_a_command_and_a_mail(tmp_path: Path) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Mailbox:
        def __init__(self) -> None:
            self.mails: list[Any] = []

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            self.mails.append(envelope)
            return "250 OK"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mailbox = Mailbox()
    port = free_port()
    post = Controller(mailbox, hostname="127.0.0.1", port=port)
    post.start()
    mail = {"host": "127.0.0.1", "port": port, "from": "localproc@example.org"}
    script = f"import sys; open({str(tmp_path / 'said')!r}, 'w').write(sys.stdin.read())"
    targets: dict[str, dict[str, Any]] = {
        "web": {"webhook": f"http://127.0.0.1:{server.server_address[1]}/in"},
        "run": {"command": [sys.executable, "-c", script]},
        "post": {"mail": "a@example.org"},
    }
    with Engine(tmp_path / "home", mail=mail, callback_secret="s3cret") as engine:
        engine.deploy(FAILING)
        for name, target in targets.items():
            engine.subscriptions.add(name, {"event": "failed", "process": "*"}, target)
        engine.run_triggers()
        job = engine.execute("failing").wait()
        until(lambda: got and mailbox.mails and (tmp_path / "said").exists())
        said = until(lambda: (tmp_path / "said").read_text())
    document = json.loads(got[0][1])
    assert document["subscription"] == "web"
    assert document["event"]["job"] == job.id
    assert got[0][0]["webhook-signature"].startswith("v1,")
    assert json.loads(said)["event"]["process"] == "failing"
    assert mailbox.mails[0].rcpt_tos == ["a@example.org"]
    assert job.id.encode() in mailbox.mails[0].content
    post.stop()
    server.shutdown()
    server.server_close()


def test_each_version_of_an_object_of_a_storage_sets_off_one_job(tmp_path: Path) -> None:
    inbox = tmp_path / "box"
    inbox.mkdir()
    (inbox / "old.txt").write_text("was there")
    when = {"event": "file", "folder": "box://there/", "pattern": "*.txt"}
    target = {"process": "echo", "inputs": {"text": "$(event.name) $(event.size)"}}
    with Engine(tmp_path / "home", plugins=[Boxes(inbox)]) as engine:
        engine.deploy(ECHO)
        engine.subscriptions.add("s", when, target)
        looking = Looking(engine)
        assert looking.look("s") == []
        (inbox / "new.txt").write_text("x")
        (inbox / "new.csv").write_text("x")
        assert len(looking.look("s")) == 1
        assert looking.look("s") == []
        (inbox / "new.txt").write_text("xy")
        assert len(looking.look("s")) == 1
        assert echoed(engine) == {"new.txt 1": 1, "new.txt 2": 1}


# Webhooks that come in


def test_observers_are_told_of_what_a_webhook_sets_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are of what schedules, files and items set off: all begin in one way."""
    seen: list[tuple[str, Kind]] = []

    def localproc_event(job: JobRecord, event: Event) -> None:
        seen.append((job.id, event.kind))

    plugin = SimpleNamespace(localproc_event=hookimpl(localproc_event))
    monkeypatch.setenv("LOCALPROC_SECRET_HOOK", "hook secret")
    with Engine(tmp_path / "home", plugins=[plugin]) as engine:
        engine.deploy(ECHO)
        target = {"process": "echo", "inputs": {"text": "x"}}
        when = {"event": "webhook", "secret": "secret:hook"}
        engine.subscriptions.add("scenes", when, target)
        headers = signed("hook secret", "m1", b"{}", datetime.now(UTC))
        job_id = engine.subscriptions.take("scenes", headers, b"{}")
    assert job_id is not None
    assert seen[0] == (job_id, Kind.ACCEPTED)


def signed(secret: str, number: str, body: bytes, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    digest = hmac.digest(secret.encode(), f"{number}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": number,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


def test_a_signed_webhook_sets_off_one_job(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALPROC_SECRET_HOOK", "hook secret")
    when = {"event": "webhook", "secret": "secret:hook"}
    target = {"process": "echo", "inputs": {"text": "$(event.body.scene)"}}
    engine.subscriptions.add("scenes", when, target)
    body, now = b'{"scene": "LE07"}', datetime.now(UTC)
    with engine.client() as client:
        good = signed("hook secret", "m1", body, now)
        answer = client.post("hooks/scenes", content=body, headers=good)
        assert answer.status_code == 201, answer.text
        job: Job = engine.job(answer.json()["jobID"]).wait(patient(30))
        assert job.results() == {"said": "LE07"}
        assert job.record.trigger == "subscription"
        assert client.post("hooks/scenes", content=body, headers=good).status_code == 204
        for wrong in (
            signed("other secret", "m2", body, now),
            signed("hook secret", "m2", b"{}", now),
            signed("hook secret", "m2", body, now - timedelta(hours=1)),
            {},
        ):
            assert client.post("hooks/scenes", content=body, headers=wrong).status_code == 404
        assert client.post("hooks/none", content=body, headers=good).status_code == 404
        no_json = signed("hook secret", "m3", b"{", now)
        assert client.post("hooks/scenes", content=b"{", headers=no_json).status_code == 400
    assert len(engine.jobs()) == 1
    engine.subscriptions.disable("scenes")
    with pytest.raises(NoSuchSubscription):
        engine.subscriptions.take("scenes", signed("hook secret", "m4", body, now), body)
    engine.subscriptions.remove("scenes")
    assert engine.subscriptions.all() == []


def test_a_secret_is_named_and_not_given(engine: Engine) -> None:
    for secret in ("hunter22", "secret:nowhere-to-be-found"):
        with pytest.raises(InvalidInputs) as refused:
            engine.subscriptions.add(
                "s", {"event": "webhook", "secret": secret}, {"command": ["true"]}
            )
        assert refused.value.problems[0].where == "when.secret"
