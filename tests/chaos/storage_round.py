"""One round: a scene from S3 and back, on a road on which things go wrong, by engines that die.

Owns what goes wrong, and what must hold at any moment and at the end. Must not know how many rounds
there are.
"""

import hashlib
import json
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from s3_road import Road
from s3_server import Server, keys, uploads

import localproc
from tests.chaos.machine import leftovers, processes
from tests.patience import patient, until

#: What goes wrong with requests, in some of a hundred. ``garbled`` are bytes that have been changed
#: on their way here: what was read has another checksum then, and the job may fail by that.
_FAULTS: Final = {
    "reset": 3.0,
    "error": 2.0,
    "busy": 3.0,
    "slow": 2.0,
    "short": 2.0,
    "damaged": 2.0,
    "lost": 2.0,
    "expired": 1.0,
    "garbled": 0.5,
    "silent": 0.2,
}
#: What goes wrong with some requests alone: nothing says what the bytes of others are, or a minute
#: would be lost with each.
_ONLY: Final = {"garbled": r"GET .*\.bin$", "silent": r"(HEAD|DELETE) .*"}
_MOST_DEATHS: Final = 2
_END: Final = 150.0  #: seconds that a job which nobody kills may take, whatever goes wrong


@dataclass
class StorageRound:
    """A home and a prefix of a bucket; ``span``: requests of a job with which nothing goes wrong.

    ``contents`` are those of the scene's assets, by name.
    """

    folder: Path
    server: Server
    bucket: str
    contents: dict[str, bytes]
    dice: random.Random
    span: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.prefix = f"results/{self.folder.name}"
        self.road = Road(self.server)
        self._lock = threading.Lock()

    @property
    def home(self) -> Path:
        """Where its job is."""
        return self.folder / "home"

    def undisturbed(self) -> list[str]:
        """Run the job, count its requests, and return what is wrong."""
        self._end("run")
        self.span = len(self.road.asked)
        return self._of_the_end("successful")

    def kill_and_resume(self) -> list[str]:
        """Kill engines until one gets through; return what is wrong."""
        self.road.fault = self._fault
        wrong: list[str] = []
        for _ in range(self.dice.randint(1, _MOST_DEATHS)):
            self._let_die("run")
            wrong += self._of_what_is_visible()
        self._end("run")
        if self._statuses() == ["failed"] and self.counts["garbled"]:
            wrong += [f"failed, and there is {key}" for key in self._keys()]
            self.counts["failed by bytes that were changed"] += 1
            self.road.fault = lambda method, path: ""
            self._end("retry")
        return wrong + self._of_the_end("successful")

    def kill_and_dismiss(self) -> list[str]:
        """Dismiss the job after a kill; return what is wrong."""
        self.road.fault = self._fault
        self._let_die("run")
        wrong = self._of_what_is_visible()
        if not (self.home / "localproc.db").exists() or not self._statuses():
            return wrong  # it died before there was a job
        self._end("dismiss")
        (status,) = self._statuses()
        if status == "dismissed":
            wrong += self._of_what_was_to_go()
        return wrong + self._of_the_end(status)

    def close(self) -> None:
        """End the road."""
        self.road.close()

    # What is done

    def _fault(self, method: str, path: str) -> str:
        with self._lock:
            (found,) = self.dice.choices(
                ["", *_FAULTS], [100 - sum(_FAULTS.values()), *_FAULTS.values()]
            )
            if not re.match(_ONLY.get(found, ""), f"{method} {path}"):
                found = ""
            self.counts[found] += bool(found)
        return found

    def _start(self, verb: str) -> subprocess.Popen[bytes]:
        options = json.dumps(self.road.server.options)
        results = f"s3://{self.bucket}/{self.prefix}"
        scene = f"s3://{self.bucket}/scene/N.json"
        command = [sys.executable, "-m", "tests.chaos.at_s3", str(self.home), results, scene]
        with open(self.folder / "log.txt", "ab") as log:
            return subprocess.Popen([*command, options, verb], stdout=log, stderr=log)

    def _let_die(self, verb: str) -> None:
        """Kill an engine while it speaks with the server, at some request."""
        before, last = len(self.road.asked), self.dice.randint(1, self.span)
        engine = self._start(verb)
        until(lambda: len(self.road.asked) - before >= last or engine.poll() is not None, _END)
        time.sleep(self.dice.uniform(0, 0.05))
        engine.kill()
        engine.wait()
        self.counts["deaths"] += 1

    def _end(self, verb: str) -> None:
        """Wait for the end of an engine that nobody kills, and note how long the longest took."""
        begun = time.monotonic()
        engine = self._start(verb)
        try:
            engine.wait(patient(_END))
        finally:
            engine.kill()
            engine.wait()
        self.counts["longest"] = max(self.counts["longest"], round(time.monotonic() - begun))

    # What is asked

    def _of_what_was_to_go(self) -> list[str]:
        """Return what is wrong with the objects of a job that was dismissed.

        Where the server would not remove them, that is remembered, and the next engine has it done.
        """
        if not self._keys():
            return []
        self.counts["remembered"] += 1
        wrong = [] if list(self.home.glob("remnants/*")) else ["it is not remembered"]
        self.road.fault = lambda method, path: ""
        self._end("tidy")
        return wrong + [f"dismissed, and there is {key}" for key in self._keys()]

    def _statuses(self) -> list[str]:
        """Return how the job stands; of one that was retried, how its retry does."""
        with localproc.Engine(self.home, run_jobs=False) as engine:
            return [str(job.status) for job in engine.jobs(process="copies", limit=1)]

    def _keys(self) -> list[str]:
        return keys(self.server, self.bucket, f"{self.prefix}/")

    def _read(self, key: str) -> bytes:
        answer = self.server.client().get_object(Bucket=self.bucket, Key=key)
        return bytes(answer["Body"].read())

    def _of_what_is_visible(self) -> list[str]:
        """Return what is not whole of what a reader finds who begins with the catalog."""
        wrong = []
        there = set(self._keys())
        for catalog in [
            key for key in there if key.count("/") == 3 and key.endswith("catalog.json")
        ]:
            job = catalog.split("/")[2]
            top = f"{catalog.rpartition('/')[0]}/{job}"
            item = f"{top}/N/N.json"
            missing = {f"{top}/collection.json", item} - there
            wrong += [f"{catalog} is there, and {key} is not" for key in missing]
            if missing:
                continue
            for asset in json.loads(self._read(item))["assets"].values():
                key = asset["href"].removeprefix(f"s3://{self.bucket}/")
                if key not in there or self._digest(key) != self._expected(key):
                    wrong.append(f"{catalog} is there, and {key} is not whole")
        return wrong

    def _digest(self, key: str) -> str:
        return hashlib.sha256(self._read(key)).hexdigest()

    def _expected(self, key: str) -> str:
        return hashlib.sha256(self.contents[key.rpartition("/")[2]]).hexdigest()

    def _of_the_end(self, status: str) -> list[str]:
        """Return what is wrong with the job, its objects, uploads, processes and leftovers."""
        found = self._statuses()
        wrong = [] if found == [status] else [f"the job is {found}, not {status}"]
        wrong += self._of_what_is_visible()
        names = sorted(key.rpartition("/")[2] for key in self._keys())
        expected = ["N.json", "catalog.json", "collection.json", *self.contents]
        if status == "successful" and names != sorted(expected):
            wrong.append(f"there is {names}")
        if list(self.home.glob("remnants/*")):  # a look at the place was broken off
            self.road.fault = lambda method, path: ""
            self._end("tidy")
        left = [one["Key"] for one in uploads(self.server, self.bucket)]
        wrong += [f"an upload is left: {key}" for key in left if key.startswith(self.prefix)]
        try:
            until(lambda: not processes(self.folder), 5)
        except AssertionError:
            wrong += [f"still there: {line}" for line in processes(self.folder).values()]
        if self._leftovers():
            self._end("tidy")
        return wrong + [f"left over: {name}" for name in self._leftovers()]

    def _leftovers(self) -> list[str]:
        """Return what is left, but for what jobs have made that are still to be retried."""
        with localproc.Engine(self.home, run_jobs=False) as engine:
            kept = {f"jobs/{job.id}/" for job in engine.jobs() if job.status != "successful"}
        return [name for name in leftovers(self.home) if not name.startswith(tuple(kept))]


def scene(contents: dict[str, bytes]) -> dict[str, Any]:
    """Return the item of some assets, with their checksums."""
    assets = {
        name: {
            "href": f"./{name}",
            "type": "application/octet-stream",
            "file:size": len(data),
            "file:checksum": f"1220{hashlib.sha256(data).hexdigest()}",
        }
        for name, data in contents.items()
    }
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "N",
        "geometry": None,
        "links": [],
        "properties": {"datetime": "2026-05-31T12:00:00Z"},
        "assets": assets,
    }
