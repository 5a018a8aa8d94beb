"""The pytest plugin, in test runs of its own."""

import importlib
from pathlib import Path

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from localproc import Engine
from localproc.engine.engine import namespace_of

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def known_packages(
    pytester: pytest.Pytester, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lay packages where the inner tests find them, and no other plugins in their way."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("echo.cwl", "three-steps.cwl"):
        (pytester.path / name).write_text((packages / name).read_text())


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    """Run a test file in a process of its own."""
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess("-p", "localproc.testing.pytest_plugin", *options)


def test_pytest_parses_nothing_that_threads_import() -> None:
    """Python 3.11 cannot always parse in two threads at a time."""
    for name, rewritten in {
        "localproc.executors.local": False,
        "localproc.engine.loop.loop": False,
        "localproc.testing.executors": True,
        "localproc.testing.executor_secrets": True,
        "localproc.testing.store_lists": True,
    }.items():
        loader = importlib.import_module(name).__loader__
        assert isinstance(loader, AssertionRewritingHook) is rewritten, name


def test_the_fixture_runs_a_package(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_echo(localproc_engine, localproc_home, tmp_path):
            job = localproc_engine.run("echo.cwl", {"message": "hello"})
            assert job.status == "successful"
            assert job.result("said").read_text() == "hello\\n"
            assert localproc_engine.home == localproc_home == tmp_path / ".localproc"
        """,
        "-W",
        "error",
    )
    result.assert_outcomes(passed=1)


def test_every_test_has_a_home_of_its_own(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_echo(localproc_engine, number):
            assert localproc_engine.jobs() == []
            localproc_engine.run("echo.cwl", {"message": "x"})
        """,
    )
    result.assert_outcomes(passed=2)


def test_a_test_may_choose_where_the_home_is(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        @pytest.fixture
        def localproc_home(tmp_path):
            return tmp_path / "elsewhere"

        def test_echo(localproc_engine, tmp_path):
            assert localproc_engine.home == tmp_path / "elsewhere"
        """,
    )
    result.assert_outcomes(passed=1)


FAILS = """
def test_steps(localproc_engine):
    localproc_engine.run("echo.cwl", {"message": "fine"})
    job = localproc_engine.run("three-steps.cwl", {"text": "x", "code": 3})
    assert job.status == "successful"
"""


def test_a_test_that_fails_tells_why_its_jobs_did(pytester: pytest.Pytester) -> None:
    result = run(pytester, FAILS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- localproc job -*",
            "three-steps (*) failed; logs: */logs",
            "step second failed with exit code 3",
            "  | one line",
            "  | this is why",
            "  log: *node_second.log",
            "  hint: *",
        ]
    )
    assert result.stdout.str().count("- localproc job -") == 1
    result.stdout.fnmatch_lines(["echo (*) successful; logs: *"])


def test_a_test_that_fails_on_a_value_tells_of_its_jobs(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_value(localproc_engine):
            job = localproc_engine.run("echo.cwl", {"message": "fine"})
            assert job.result("said").read_text() == "other"
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- other localproc jobs -*", "echo (*) successful; logs: */logs"])


def test_a_test_that_waits_in_vain_tells_what_its_jobs_do(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        SLEEPER = {
            "cwlVersion": "v1.2",
            "class": "CommandLineTool",
            "id": "sleeper",
            "baseCommand": ["sleep", "300"],
            "inputs": [],
            "outputs": [],
        }

        def test_timeout(localproc_engine):
            job = localproc_engine.deploy(SLEEPER).execute()
            next(job.watch())
            job.wait(0.1)
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["sleeper (*) running, sleeper *; logs: */logs"])
    assert "job_account.py" not in result.stdout.str(), "it ends where the test waits"


def test_a_fixture_whose_job_failed_tells_why(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        @pytest.fixture
        def masks(localproc_engine):
            job = localproc_engine.run("three-steps.cwl", {"text": "x", "code": 3})
            assert job.status == "successful"

        def test_masks(masks):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*- localproc job -*", "step second failed with exit code 3"])


@pytest.mark.parametrize(
    ("marker", "option", "said"),
    [
        ("slot=1", "", "Engine() has no option 'slot'"),
        ("1", "", "@pytest.mark.localproc: 1 is no setting"),
        ("", "slots = two", "localproc_slots of pytest's configuration cannot be 'two'"),
        ("", "reuse = maybe", "localproc_reuse of pytest's configuration cannot be 'maybe'"),
    ],
)
def test_settings_that_cannot_be_are_told_in_a_line(
    pytester: pytest.Pytester, marker: str, option: str, said: str
) -> None:
    pytester.makeini(f"[pytest]\n{option and 'localproc_'}{option}\n")
    result = run(
        pytester,
        f"""
        import pytest

        @pytest.mark.localproc({marker})
        def test_one(localproc_engine):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    assert any(line.startswith(said) for line in result.outlines)
    assert "another exception" not in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin.py" not in result.stdout.str()


def test_an_error_of_a_package_is_told_in_a_few_lines(pytester: pytest.Pytester) -> None:
    (pytester.path / "bad.cwl").write_text("cwlVersion: v1.2\nclass: [\n")
    result = run(
        pytester,
        """
        def test_bad(localproc_engine):
            localproc_engine.deploy("bad.cwl")
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*InvalidPackage: bad.cwl is not valid YAML", "E*bad.cwl:3:1:*"])
    assert len(result.outlines) < 30, result.stdout.str()


def test_a_test_that_passes_tells_nothing(pytester: pytest.Pytester) -> None:
    result = run(pytester, FAILS.replace('== "successful"', '== "failed"'), "-rA")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*localproc job*")


def test_a_test_that_fails_without_a_failed_job_tells_nothing(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_nothing(localproc_engine):\n    assert False\n")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*localproc job*")


@pytest.mark.parametrize("how", ["localproc_engine.close()", "with localproc_engine: pass"])
def test_a_test_may_close_its_engine(pytester: pytest.Pytester, how: str) -> None:
    result = run(pytester, FAILS.replace("    assert", f"    {how}\n    assert"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["step second failed with exit code 3"])


def test_jobs_of_other_namespaces_are_told_of_too(pytester: pytest.Pytester) -> None:
    other = 'localproc_engine.within("other").run("three'
    result = run(pytester, FAILS.replace('localproc_engine.run("three', other))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- localproc job -*", "step second failed with exit code 3"])


def test_what_still_runs_at_the_end_of_a_test_is_dismissed(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import os, pytest

        SLEEPER = {
            "cwlVersion": "v1.2",
            "class": "CommandLineTool",
            "id": "sleeper",
            "baseCommand": ["sh", "-c", "echo $$ >&2; exec sleep 300"],
            "inputs": [],
            "outputs": [],
        }
        pids = []

        def test_leaves_a_job(localproc_engine):
            process = localproc_engine.deploy(SLEEPER)
            job = process.execute({})
            other = localproc_engine.within("other")
            for one in [process, process, other.deploy(SLEEPER)]:
                one.execute({})
            assert next(job.watch()).name == "sleeper"
            _, said = next(job.follow("sleeper"))
            pids.append(int(said))

        def test_nothing_is_left():
            with pytest.raises(ProcessLookupError):
                os.kill(pids[0], 0)
        """,
        "--basetemp",
        str(pytester.path / "tmp"),
    )
    result.assert_outcomes(passed=2)
    (home,) = (pytester.path / "tmp").glob("*0/.localproc")
    with Engine(home, run_jobs=False) as engine:
        assert [job.status for job in engine.jobs()] == ["dismissed"] * 3
        assert [job.status for job in engine.within("other").jobs()] == ["dismissed"]
        assert list(namespace_of(engine).alive()) == []


def test_a_run_without_the_fixture_imports_no_engine(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import sys

        def pytest_unconfigure():
            loaded = sorted(name for name in sys.modules if name.startswith("localproc"))
            print("loaded:", *loaded)
        """
    )
    result = run(pytester, "def test_nothing(): pass\n\ndef test_bad(): assert False\n")
    result.assert_outcomes(passed=1, failed=1)
    (line,) = [line for line in result.outlines if line.startswith("loaded:")]
    assert line.split()[1:] == ["localproc", "localproc.testing", "localproc.testing.pytest_plugin"]


def test_the_plugin_is_installed_with_localproc(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = pytester.runpytest_subprocess("--fixtures")
    result.stdout.fnmatch_lines(["localproc_engine -- *", "*engine with a home of its own*"])


def test_engines_are_set_up_by_the_marker_and_by_options(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nlocalproc_slots = 3\nlocalproc_reuse = true\n")
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.localproc(slots=1)
        def test_one(localproc_engine):
            assert localproc_engine.settings.slots == 1
            assert localproc_engine.settings.reuse

        def test_another(localproc_engine):
            assert localproc_engine.settings.slots == 3
        """,
        "--strict-markers",
    )
    result.assert_outcomes(passed=2)


def test_packages_are_found_beside_the_test(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("inner")
    (pytester.path / "echo.cwl").rename(folder / "beside.cwl")
    (folder / "test_beside.py").write_text(
        "def test_it(localproc_engine):\n"
        "    job = localproc_engine.run('beside.cwl', {'message': 'x'})\n"
        "    assert job.status == 'successful'\n"
        "    assert localproc_engine.read('beside.cwl#echo').id == 'echo'\n"
    )
    result = pytester.runpytest_subprocess("-p", "localproc.testing.pytest_plugin", "inner")
    result.assert_outcomes(passed=1)
