"""YAML files of tests as cwltest has them, collected by the pytest plugin."""

import json
from pathlib import Path
from typing import Any

import pytest
from cwltest.compare import CompareFail, compare

from localproc.testing.expected import output_differences

pytest_plugins = ["pytester"]

SUITE = """\
- tool: echo.cwl
  job: jobs/hello.yml
  id: says_hello
  doc: What goes in comes out.
  tags: [required, greeting]
  output:
    said: {class: File, location: said.txt, size: 6, contents: "hello\\n"}
- tool: echo.cwl
  job: jobs/hello.yml
  id: "suite#says_more"
  output:
    said: {class: File, path: Any, size: 7, checksum: sha1$0}
    more: true
- tool: echo.cwl
  should_fail: true
- $import: more/index.yml
"""
MORE = """\
- tool: ../echo.cwl
  job: {message: hello}
  output: {said: {class: File, location: said.txt}}
  id: inline
- tool: no.cwl
  id: gone
  should_fail: true
"""


@pytest.fixture
def suite(
    pytester: pytest.Pytester, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    files = {
        "echo.cwl": (packages / "echo.cwl").read_text(),
        "jobs/hello.yml": "message: hello\nother: what the tool does not know\n",
        "more/index.yml": MORE,
        "suite.cwltest.yml": SUITE,
        "other.yml": SUITE,
    }
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return pytester


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "localproc.testing.pytest_plugin", *options)


def test_each_entry_is_a_test(suite: pytest.Pytester) -> None:
    result = run(suite, "-v")
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        [
            "suite.cwltest.yml::says_hello PASSED*",
            "suite.cwltest.yml::says_more FAILED*",
            "suite.cwltest.yml::2 PASSED*",
            "suite.cwltest.yml::inline PASSED*",
            "suite.cwltest.yml::gone FAILED*",
            "the outputs are not as expected:",
            "  output.said has 6 bytes, not 7",
            "  output.said.checksum is 'sha1$f572d396*', not 'sha1$0'",
            "  output.more is None, not True",
            "there is no */more/no.cwl",
        ]
    )


def test_tags_and_files_can_be_chosen(suite: pytest.Pytester) -> None:
    (suite.path / "pytest.ini").write_text("[pytest]\nlocalproc_cwltests = other.y?l\n")
    said = run(suite, "--collect-only", "-q", "-k", "greeting").stdout.str()
    assert "other.yml::says_hello" in said
    assert "suite.cwltest.yml::says_hello" in said
    assert "2/10 tests collected" in said


def test_a_file_that_is_none_is_told(suite: pytest.Pytester) -> None:
    (suite.path / "bad.cwltest.yml").write_text("- tool: echo.cwl\n  outputs: {}\n")
    result = run(suite, "bad.cwltest.yml")
    result.assert_outcomes(errors=1)
    assert "a test has no member outputs" in result.stdout.str()


def test_a_file_that_imports_itself_is_told(suite: pytest.Pytester) -> None:
    (suite.path / "bad.cwltest.yml").write_text("- $import: more/../bad.cwltest.yml\n")
    result = run(suite, "bad.cwltest.yml")
    result.assert_outcomes(errors=1)
    assert "imports itself" in result.stdout.str()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    """Give files as a job has them, by name."""
    for name in ("a.txt", "b c.txt"):
        (tmp_path / name).write_text("text\n")
    return {
        name: {
            "class": "File",
            "location": (tmp_path / name).as_uri(),
            "basename": name,
            "size": 5,
            "format": "http://edamontology.org/format_1964",
        }
        for name in ("a.txt", "b c.txt")
    }


SHA1 = "sha1$c3e3ac8ed6e4ab8bdcf1c4a6a9b56b2fa5b4cd3e"


@pytest.mark.parametrize(
    "expected",
    [
        "Any",
        None,
        {},
        {"x": "Any"},
        {"x": {"class": "File", "location": "Any"}},
        {"x": {"class": "File", "location": "a.txt", "size": 5, "contents": "text\n"}},
        {"x": {"class": "File", "location": "b.txt"}},
        {"x": {"class": "File", "path": ".txt"}},
        {"x": {"class": "File", "size": 6}},
        {"x": {"class": "File", "contents": "text"}},
        {"x": {"class": "File", "checksum": SHA1}},
        {"x": {"class": "File", "format": "http://edamontology.org/format_1964"}},
        {"x": {"class": "File", "format": "http://edamontology.org/format_2330"}},
        {"x": {"class": "File", "basename": "a.txt", "secondaryFiles": []}},
        {"x": {"class": "Directory", "listing": []}},
        {"x": [{"class": "File"}]},
        {"x": {"class": "File"}, "y": 1},
        {"x": {"class": "File"}, "y": None},
        {"x": 1},
    ],
    ids=json.dumps,
)
def test_it_is_the_same_that_is_the_same_for_cwltest(
    expected: Any, files: dict[str, Any], tmp_path: Path
) -> None:
    actual = {"x": files["a.txt"], "z": None}
    printed = {**actual, "x": {**files["a.txt"], "path": str(tmp_path / "a.txt")}}
    try:
        compare(expected, printed)
    except CompareFail:
        assert list(output_differences(expected, actual))
    else:
        assert not list(output_differences(expected, actual))


def test_what_is_in_a_folder_may_come_in_any_order(files: dict[str, Any], tmp_path: Path) -> None:
    folder = {"class": "Directory", "location": tmp_path.as_uri(), "listing": [*files.values()]}
    wanted = [{"class": "File", "location": one} for one in ("b c.txt", "a.txt")]
    expected = {"class": "Directory", "location": tmp_path.name, "listing": wanted}
    assert not list(output_differences(expected, folder))
    wanted.append({"class": "File", "location": "d.txt"})
    assert list(output_differences(expected, folder)) == [
        "output has no File d.txt in it; there is: a.txt, b c.txt"
    ]
