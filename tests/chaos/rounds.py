"""One round: a job whose engines and keepers are killed at random, and what must hold at its end.

Owns what is done to a job and what is asked of it then. Must not know how many rounds there are.
"""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import localproc
from localproc.model import StepStatus
from localproc.model.events import STAGE_IN, STAGE_OUT, StepFinished
from tests.chaos.machine import contents, kill, leftovers, processes
from tests.patience import patient, until

_WORDS: Final = ["one", "two", "three", "four"]
_MOST_DEATHS: Final = 4
_MOST_LOSSES: Final = 2  #: keepers that may die: a task that is lost once more fails its step


@dataclass
class Round:
    """A folder with a home, and the dice of the round; ``span``: seconds that its job takes."""

    folder: Path
    dice: random.Random
    span: float = 1.0
    deaths: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Write the inputs."""
        self.notes.mkdir(parents=True)
        (self.folder / "seed.txt").write_text("seed\n")
        seed = {"class": "File", "path": str(self.folder / "seed.txt")}
        inputs = {"words": _WORDS, "notes": str(self.notes), "seed": seed}
        (self.folder / "inputs.json").write_text(json.dumps(inputs))

    @property
    def home(self) -> Path:
        """Where its job is."""
        return self.folder / "home"

    @property
    def notes(self) -> Path:
        """Where tools note that they have come to their end."""
        return self.folder / "notes"

    @property
    def run(self) -> list[str]:
        """The words of the command that runs the job."""
        package = Path(__file__).with_name("chaos.cwl")
        return ["run", str(package), str(self.folder / "inputs.json"), "--slots", "2", "--quiet"]

    def undisturbed(self) -> dict[str, str]:
        """Run the job, look how long that takes, and return its results."""
        _end(self._start(self.run))
        with localproc.Engine(self.home, run_jobs=False) as engine:
            (job,) = engine.jobs()
            assert job.record.finished is not None
            self.span = (job.record.finished - job.record.created).total_seconds()
        return self.results()

    def results(self) -> dict[str, str]:
        """Return what is published, but for the catalog, which has the job's id and times."""
        return {
            name.partition("/")[2]: text
            for name, text in contents(self.home / "results").items()
            if not name.endswith("catalog.json")
        }

    def kill_and_resume(self, expected: dict[str, str]) -> list[str]:
        """Kill engines, and now and then keepers, until one gets through; return what is wrong."""
        command = self.run
        for _ in range(self.dice.randint(1, _MOST_DEATHS)):
            self._let_die(self._start(command))
            if self._jobs():
                command = ["resume"]
        _end(self._start(command))
        wrong = self._of_the_end("successful")
        if (got := self.results()) != expected:
            names = sorted(
                name for name in {*got, *expected} if got.get(name) != expected.get(name)
            )
            wrong.append(f"other results: {', '.join(names[:5])}")
        return wrong + self._of_the_steps()

    def kill_and_dismiss(self, expected: dict[str, str]) -> list[str]:
        """Dismiss the job after a kill or while it runs; return what is wrong."""
        engine = self._start(self.run)
        if self.dice.random() < 0.5:
            self._let_die(engine)
        else:
            self._at_some_moment(engine)
        for job in self._jobs():
            _end(self._start(["dismiss", job]))
        engine.wait(patient(60))
        _end(self._start(["resume"]))
        ends = self._ends()
        if ends == ["successful"]:  # it had ended before
            return self._of_the_end("successful")
        wrong = self._of_the_end("dismissed") if ends else []
        return wrong + [f"published: {name}" for name in list(self.results())[:5]]

    # What is done

    def _start(self, words: list[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "localproc", "--home", str(self.home), *words]
        log = open(self.folder / "log.txt", "ab")  # noqa: SIM115 - the process has it
        with log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

    def _let_die(self, engine: subprocess.Popen[bytes]) -> None:
        """Kill an engine at some moment, its keeper before it, after it, or not at all."""
        self._at_some_moment(engine)
        keepers = self._keepers() if self.deaths["keeper"] < _MOST_LOSSES else []
        moment = self.dice.choice(["before", "after", "never", "never"])
        if moment == "before":
            self._kill_keepers(keepers)
            time.sleep(self.dice.uniform(0, 0.1))
        engine.kill()
        engine.wait()
        self.deaths["engine"] += 1
        if moment == "after":
            self._kill_keepers(keepers)
        time.sleep(self.dice.choice([0, self.dice.uniform(0, 0.5)]))

    def _at_some_moment(self, engine: subprocess.Popen[bytes]) -> None:
        """Wait for some moment of a job's life, now and then of its engine's before that."""
        if self.dice.random() < 0.8:
            until(lambda: self._keepers() or engine.poll() is not None)
        time.sleep(self.dice.uniform(0, self.span))

    def _keepers(self) -> list[int]:
        return [pid for pid, line in processes(self.folder).items() if "keeper.keeper" in line]

    def _kill_keepers(self, keepers: list[int]) -> None:
        for pid in keepers:
            kill(pid)
        self.deaths["keeper"] += len(keepers)

    # What is asked

    def _jobs(self) -> list[str]:
        if not (self.home / "localproc.db").exists():
            return []
        with localproc.Engine(self.home, run_jobs=False) as engine:
            return [job.id for job in engine.jobs()]

    def _ends(self) -> list[str]:
        with localproc.Engine(self.home, run_jobs=False) as engine:
            return [job.status for job in engine.jobs()]

    def _of_the_end(self, status: str) -> list[str]:
        """Return what is wrong with the state of the job and with what is left of it."""
        wrong = [f"the job is {found}, not {status}" for found in self._ends() if found != status]
        try:
            until(lambda: not processes(self.folder), 1)
        except AssertionError:
            wrong += [f"still there: {pid} {line}" for pid, line in processes(self.folder).items()]
        kept = {f"jobs/{job}/work" for job in self._to_go_on_with()}
        return wrong + [f"left over: {name}" for name in leftovers(self.home) if name not in kept]

    def _to_go_on_with(self) -> list[str]:
        """Return the jobs that have been dismissed when some of their steps had ended well."""
        with localproc.Engine(self.home, run_jobs=False) as engine:
            return [
                job.id
                for job in engine.jobs()
                if job.status == "dismissed"
                and any(_has_made_something(event) for event in job.events())
            ]

    def _of_the_steps(self) -> list[str]:
        """Return the steps that have two successful runs."""
        with localproc.Engine(self.home, run_jobs=False) as engine:
            events: list[Any] = [event for job in engine.jobs() for event in job.events()]
        ended = Counter(
            event.name
            for event in events
            if isinstance(event, StepFinished) and event.status is StepStatus.SUCCESSFUL
        )
        wrong = [
            f"{name} has {count} successful ends" for name, count in ended.items() if count > 1
        ]
        if not self.deaths["keeper"]:  # else it may be unknown whether a task had ended
            runs = {path.name: path.read_text().count("x") for path in self.notes.iterdir()}
            wrong += [f"{name} ran {count} times" for name, count in runs.items() if count != 1]
        return wrong


def _has_made_something(event: Any) -> bool:
    return (
        isinstance(event, StepFinished)
        and event.status is StepStatus.SUCCESSFUL
        and event.name not in (STAGE_IN, STAGE_OUT)
    )


def _end(command: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a command that nobody kills."""
    try:
        command.wait(patient(60))
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()
        raise


def dice(seed: int, number: int) -> random.Random:
    """Return the dice of a round: the same for a seed and a number."""
    return random.Random(f"{seed}/{number}")
