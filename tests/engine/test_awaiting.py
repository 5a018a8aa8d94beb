"""Jobs where there is an event loop, and in notebooks."""

import asyncio
from html.parser import HTMLParser
from pathlib import Path

from localproc import Engine, Job
from tests.conftest import PACKAGES

STEPS = PACKAGES / "three-steps.cwl"


def test_a_job_is_awaited_and_watched_without_blocking(tmp_path: Path) -> None:
    async def all_of_it(engine: Engine) -> tuple[list[str], list[Job]]:
        jobs = [engine.execute("three-steps", {"text": text}) for text in ("a", "b")]
        changes = [(step.name, step.status) async for step in jobs[0].watch()]
        ended = await asyncio.gather(*jobs)
        return [name for name, status in changes if status.final], ended

    with Engine(tmp_path / "home") as engine:
        engine.deploy(STEPS)
        names, ended = asyncio.run(all_of_it(engine))
        assert names == ["first", "second", "third", "stage_out"]
        assert [job.status for job in ended] == ["successful", "successful"]
        assert [step.name for step in ended[0].watch() if step.status.final] == names


def test_awaiting_is_given_up_when_it_is_cancelled(tmp_path: Path) -> None:
    async def gives_up(job: Job) -> str:
        try:
            await asyncio.wait_for(_awaited(job), 0.01)
        except TimeoutError:
            return "gave up"
        return "waited"

    with Engine(tmp_path / "home", run_jobs=False) as engine:
        job = engine.execute(engine.deploy(STEPS), {"text": "x"})
        assert asyncio.run(gives_up(job)) == "gave up"


async def _awaited(job: Job) -> Job:
    return await job


class Text(HTMLParser):
    """The text of a page, and the names of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs == []
        self.tags.add(tag)


def test_notebooks_show_engines_processes_and_jobs(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(STEPS)
        job = process.execute({"text": "x"}, title="<script>").wait()
        shown = {one: Text(one._repr_html_()).text for one in (engine, process, job)}
        assert {"three-steps", job.id, "successful", "<script>"} <= set(shown[engine])
        assert {"text", "string", "code", "0"} <= set(shown[process])
        assert {job.id, "first", "second", "third"} <= set(shown[job])
        assert "script" not in Text(engine._repr_html_()).tags
