"""What the documents say is what there is, and their examples run."""

import ast
import dataclasses
import fnmatch
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

import click
import grimp
import pytest

import localproc
from localproc import errors
from localproc.cli.app import localproc as command_line
from localproc.cli.command_list import COMMANDS
from localproc.cli.package_command import PackageCommand
from localproc.cwl.base.requirements import SUPPORTED
from localproc.engine.home.settings import Settings
from localproc.engine.notify.callback_sender import signature
from localproc.engine.options import ExecuteOptions, JobFilters
from localproc.http.app import create_app
from localproc.http.http_settings import HttpSettings
from localproc.model import Callback, Event, Kind
from localproc.model.event import members
from localproc.model.events import CLASSES
from localproc.plugins import hooks
from tests.docs.markdown import FILES, ROOT, Block, anchors, blocks, links, names, prose, table
from tests.patience import patient

BLOCKS = [block for file in FILES for block in blocks(file)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
FILTERS = {"process", "status", "limit"}
SHELL = [block for block in BLOCKS if block.language in ("console", "sh")]
TO_RUN = sorted({block.file for block in BLOCKS if block.mark.startswith("run")})


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_every_link_leads_somewhere(file: Path) -> None:
    for link in links(file):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), f"{relative(file)}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{relative(file)}: {link}"


def test_every_variable_of_the_environment_is_told_of() -> None:
    code = [path for part in ("src", "tests", "benchmarks") for path in (ROOT / part).rglob("*.py")]
    form = re.compile(r'(?:environ\.get\(|environ\[|envvar=)"((?:LOCALPROC|CWL|OGC)_[A-Z_]+)"')
    read = {name for path in code for name in form.findall(path.read_text())}
    told = "".join(file.read_text() for file in FILES)
    assert len(read) >= 3
    assert {name for name in read if f"`{name}`" not in told} == set()


# The architecture, the decisions


def test_the_layers_are_those_that_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contract = project["tool"]["importlinter"]["contracts"][0]
    checked = [set(re.findall(r"localproc\.(\w+)", layer)) for layer in contract["layers"]]
    rows = table("ARCHITECTURE.md", "Layers: arrows point down only")
    assert [set(re.findall(r"`(\w+)`", row[0])) for row in rows] == checked


def test_the_architecture_fits_a_page_and_names_rooms_that_are_there() -> None:
    """It names rooms; docs/modules.md names the modules."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert len(text.splitlines()) <= 110
    told = " ".join(row[1] for row in table("ARCHITECTURE.md", "Where things lie"))
    rooms = re.findall(r"`([\w/]+)`", told)
    assert len(rooms) >= 15
    source = ROOT / "src" / "localproc"
    assert [one for one in rooms if not list(source.glob(f"**/{one}/__init__.py"))] == []


def test_no_module_is_imported_by_what_it_imports() -> None:
    """Not even late: the layers of pyproject.toml say nothing of modules within one room."""
    graph = grimp.build_graph("localproc", cache_dir=None)
    imports = {one: graph.find_modules_directly_imported_by(one) for one in graph.modules}
    order = list(TopologicalSorter(imports).static_order())  # raises CycleError with the circle
    assert len(order) == len(graph.modules)


@pytest.mark.parametrize("room", ["machine", "cwl", "ogc"])
def test_what_is_pure_calls_nothing_that_is_not(room: str) -> None:
    """Beside what it may not import (see pyproject.toml): files, streams and clocks."""
    impure = re.compile(r"(open|input|print|exec|eval|__import__)|.*\.(now|utcnow|today|getenv)")
    found = [
        f"{relative(path)}:{node.lineno}: {ast.unparse(node.func)}"
        for path in (ROOT / "src" / "localproc" / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and impure.fullmatch(ast.unparse(node.func))
    ]
    assert found == []


def test_the_map_has_every_module_and_no_other() -> None:
    text = (ROOT / "docs/modules.md").read_text()
    places = text.partition("## Where things lie")[2].partition("\n## ")[0]
    found = re.findall(r"^- `([\w/]+)/`: (.*?)(?=^- |\Z)", places, re.MULTILINE | re.DOTALL)
    said = {package: set(re.findall(r"`([\w*]+)`", text)) for package, text in found}
    assert len(said) >= 15
    for package, told in said.items():
        folder = ROOT / "src" / "localproc" / package
        there = {one.stem for one in folder.glob("*.py")} - {"__init__"}
        there |= {one.parent.name for one in folder.glob("*/__init__.py")}
        for name in told:
            assert fnmatch.filter(there, name), f"{package}/{name}"
        if "/" in package or package in ("engine", "executors", "ogc", "storage", "views"):
            unsaid = [one for one in there if not any(fnmatch.fnmatch(one, n) for n in told)]
            assert not unsaid, package


#: Names that several modules have, since they are of one thing: a word, rules, errors, a table, a
#: protocol, what the engine does with it, and how faces show it.
SHARED: Final = {
    "app": "what a face begins with",
    "backup": "a copy of a home",
    "builtin": "plugins that come with localproc",
    "execution_log": "jobs as executions",
    "images": "images of containers",
    "jobs": "jobs",
    "leftovers": "what homes that are gone have left",
    "log_search": "searching logs",
    "mirror": "inputs that are kept",
    "process": "a process",
    "processes": "processes",
    "report": "a job to keep",
    "schedules": "schedules",
    "software": "what SoftwareRequirement names",
    "staging": "bringing files in and results out",
    "subscriptions": "subscriptions",
    "tokens": "tokens of clients",
}
#: What a plugin calls as the protocol, or the core's own part, that it stands for.
OF_PLUGINS: Final = {"backend", "executor", "opening", "options", "storage"}


def test_no_two_modules_have_one_name_but_for_one_thing() -> None:
    counted = Counter(
        path.stem for path in (ROOT / "src").rglob("*.py") if not path.stem.startswith("__")
    )
    assert {name for name, count in counted.items() if count > 1} == set(SHARED)
    by_plugins = {
        path.stem: path for path in (ROOT / "plugins").glob("*/src/**/*.py") if path.stem in counted
    }
    assert set(by_plugins) - {"__init__"} == OF_PLUGINS


def test_no_two_classes_have_one_name() -> None:
    """But for a word that plugins of schedulers know: a command has failed, as a job may have."""
    paths = [path for path in (ROOT / "src").rglob("*.py") if path.name != "__init__.py"]
    names_of = (
        re.findall(r"^class ([A-Za-z]\w*)", path.read_text(), re.MULTILINE) for path in paths
    )
    counted = Counter(name for names in names_of for name in names)
    assert {name for name, count in counted.items() if count > 1} == {"Failed"}


def test_no_two_functions_are_imported_by_one_name() -> None:
    """What is called with its module's name before it (``globs.matches``) says what it is of."""
    where: dict[str, set[str | None]] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("localproc."):
                for one in node.names:
                    if one.asname is None:
                        where.setdefault(one.name, set()).add(node.module)
    defined = {
        (f"localproc.{'.'.join(path.relative_to(ROOT / 'src/localproc').with_suffix('').parts)}", f)
        for path in (ROOT / "src").rglob("*.py")
        for f in re.findall(r"^def ([a-z]\w*)", path.read_text(), re.MULTILINE)
    }
    several = {
        name: modules
        for name, modules in where.items()
        if len([one for one in modules if (one, name) in defined]) > 1
    }
    assert several == {}


#: Functions that several modules of one room have: they begin programs, do the same in a process of
#: its own, or are called with their module's name before them.
ALIKE: Final = {"main", "copy", "digest", "matches", "program", "unpack"}


def test_no_two_functions_of_a_room_have_one_name() -> None:
    """But for the faces, whose functions are the verbs of their modules."""
    where: dict[tuple[Path, str], list[str]] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for name in re.findall(r"^def ([a-z]\w*)", path.read_text(), re.MULTILINE):
            where.setdefault((path.parent, name), []).append(path.stem)
    several = {
        (folder.name, name)
        for (folder, name), modules in where.items()
        if len(modules) > 1 and folder.name not in ("cli", "http")
    }
    assert {(room, name) for room, name in several if name not in ALIKE} == set()


def test_every_module_says_what_it_owns() -> None:
    silent = [
        relative(path)
        for path in (ROOT / "src").rglob("*.py")
        if not path.stem.startswith("__")
        and "Owns" not in (ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
    assert silent == []


def test_a_module_has_one_idea() -> None:
    """At least, none is longer than 350 lines: one that is has two."""
    sources = [ROOT / "src", *(ROOT / "plugins").glob("*/src")]
    lengths = {
        path.name: len(path.read_text().splitlines())
        for folder in sources
        for path in folder.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > 350} == {}


def test_a_function_fits_a_screen() -> None:
    sources = [ROOT / "src", *(ROOT / "plugins").glob("*/src")]
    lengths = {
        f"{path.name}:{one.name}": (one.end_lineno or 0) - one.lineno + 1
        for folder in sources
        for path in folder.rglob("*.py")
        for one in ast.walk(ast.parse(path.read_text()))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 45} == {}


def test_every_decision_is_in_the_index_in_its_order() -> None:
    files = sorted(file.name for file in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert links(ROOT / "docs/adr/README.md") == files
    numbers = [int(name[:4]) for name in files]
    assert numbers == sorted(set(numbers))
    for name in files:
        titles = re.findall(r"^## (.+)$", (ROOT / "docs/adr" / name).read_text(), re.MULTILINE)
        assert titles == ["Context", "Decision", "Consequences"], name


# Installing, and whom to write to


def test_nothing_is_told_to_be_installed_from_an_index_that_does_not_have_it() -> None:
    """Until localproc is on one: then README (Install) and ``errors.INSTALL`` change."""
    code = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.html")]
    wrong = re.compile(r"pip install (?:-\w+ )?[\"']?localproc(?!\w|-)")
    assert [relative(one) for one in (*FILES, *code) if wrong.search(one.read_text())] == []
    assert "pip install '.[" in errors.INSTALL


def test_there_is_one_place_to_write_to() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    (marked,) = [line for line in lines if "OWNER" in line]
    assert marked.startswith("Issues = ")
    for file in ("docs/security.md", "docs/troubleshooting.md"):
        assert '"Issues" in [pyproject.toml]' in (ROOT / file).read_text().replace("\n", " ")


def test_the_revision_of_the_demo_is_that_of_its_package(tmp_path: Path) -> None:
    with localproc.Engine(tmp_path / "home", run_jobs=False) as engine:
        found = engine.read(ROOT / "examples/water_bodies/water-bodies.cwl").revision
    assert f"revision {found[:12]}" in (ROOT / "README.md").read_text()


# Contributing


def test_every_place_to_change_something_is_there() -> None:
    rows = table("CONTRIBUTING.md", "Where to change what")
    assert len(rows) >= 10
    for row in rows:
        places = [one for one in re.findall(r"`([^`]+)`", " ".join(row[1:])) if "/" in one]
        assert places, row[0]
        for place in places:
            assert (ROOT / place).exists(), f"{row[0]}: {place}"


def test_every_marker_of_tests_is_told_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = project["tool"]["pytest"]["ini_options"]["markers"]
    assert names("CONTRIBUTING.md", "Tests") == [one.partition(":")[0] for one in declared]


def test_no_test_sleeps() -> None:
    waits = ROOT / "tests" / "patience.py"
    calls = re.compile(r"^ *(?:time\.)?sleep\(|time\.monotonic\(|perf_counter\(", re.MULTILINE)
    found = {
        relative(path)
        for path in (ROOT / "tests").rglob("*.py")
        if path != waits and path.parent.name != "chaos" and calls.search(path.read_text())
    }
    # Scripts that other processes run, and a desk whose pace is what is tested.
    assert found <= {
        "tests/engine/test_forks.py",
        "tests/engine/test_liveness.py",
        "tests/executors/test_desk.py",
        "tests/executors/test_keeper.py",
    }


def test_what_waits_is_patient() -> None:
    """A plain number of seconds, or httpx's own five, is too few on a machine that is slower."""
    tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "plugins").glob("*/tests/*.py")]
    found = {
        f"{relative(path)}:{call.lineno}"
        for path in tests
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and is_impatient(call)
    }
    assert found == set()


def is_impatient(call: ast.Call) -> bool:
    """Return whether a call gives up after a number of seconds that is not meant to be short."""
    called = ast.unparse(call.func)
    named = {one.arg: one.value for one in call.keywords}
    if called == "found":  # an option of the executor that is examined
        return False
    if re.fullmatch(r"httpx\.(get|post|put|patch|delete|head|request|stream|Client)", called):
        return not named.keys() & {"timeout", "transport"}
    waits = re.fullmatch(r"(?!rule\b).*\.(wait|join|acquire|settimeout)", called)
    for given in (named.get("timeout"), *(call.args[:1] if waits else ())):
        if isinstance(given, ast.Constant) and isinstance(given.value, (int, float)):
            return given.value >= 1
    return False


# Python


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_compiles(block: Block) -> None:
    assert ast.parse(block.text, str(block)).body


def test_the_public_names_are_those_of_the_package() -> None:
    assert names("docs/engine.md", "The Python API") == localproc.__all__


@pytest.mark.parametrize(
    ("heading", "kind", "of_instances"),
    [
        ("An engine", localproc.Engine, set()),
        ("A process", localproc.Process, {"record"}),
        ("A job", localproc.Job, {"id"}),
    ],
)
def test_the_guide_has_every_public_member_and_no_other(
    heading: str, kind: type, of_instances: set[str]
) -> None:
    told = {name.partition("(")[0] for name in names("docs/engine.md", heading)}
    there = {name for name in dir(kind) if not name.startswith("_")} | of_instances
    assert told == there


@pytest.mark.parametrize(
    ("kind", "opening", "arguments"),
    [(ExecuteOptions, "Options of `execute`:", set()), (JobFilters, "Filters of `jobs`:", FILTERS)],
)
def test_the_guide_has_every_option(kind: type, opening: str, arguments: set[str]) -> None:
    told = prose(ROOT / "docs/engine.md").partition(opening)[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", told)) >= set(kind.__annotations__) | arguments


@pytest.mark.parametrize(
    ("document", "settings"), [("docs/engine.md", Settings), ("docs/http.md", HttpSettings)]
)
def test_settings_are_those_of_the_class_in_its_order(document: str, settings: Any) -> None:
    fields = dataclasses.fields(settings)
    assert names(document, "Settings") == [field.name for field in fields]
    for field, row in zip(fields, table(document, "Settings"), strict=True):
        if row[1].startswith("`") and field.default is not dataclasses.MISSING:
            assert repr(field.default).replace("'", '"') == row[1].strip("`"), field.name


def test_the_table_of_threads_names_what_there_is() -> None:
    rows = table("docs/engine.md", "What keeps whom waiting")
    told = {name for row in rows for name in re.findall(r"`([A-Z]\w+)`", row[0])}
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    assert told - set(re.findall(r"^class (\w+)", sources, re.MULTILINE)) == set()
    protocols = {
        name
        for path in (ROOT / "src/localproc/plugins").glob("*.py")
        for name in re.findall(r"^class (\w+)\(Protocol\)", path.read_text(), re.MULTILINE)
    }
    public = {name for name in localproc.__all__ if hasattr(getattr(localproc, name), "execute")}
    assert told >= protocols | public | {"Job"}


def test_every_kind_of_event_is_told_of() -> None:
    assert names("docs/engine.md", "Events") == list(Kind)


def test_events_have_the_members_that_are_told_of() -> None:
    """If this fails, the rows that it expects are those to put into the document."""

    def row(cls: type[Event]) -> str:
        told = "; ".join(f"`{one.name}`: {one.meaning}" for one in members(cls))
        when = (cls.__doc__ or "").partition("\n")[0]
        return f"| `{cls.kind}` | `{cls.__name__}` | {when} | {told} |\n"

    assert "".join(map(row, CLASSES.values())) in (ROOT / "docs/engine.md").read_text()


def test_the_tree_of_errors_is_whole() -> None:
    tree = next(
        one.text for one in blocks(ROOT / "docs/engine.md") if "LocalprocError\n" in one.text
    )
    known = {
        name
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, errors.LocalprocError) and name[0] != "_"
    }
    assert set(re.findall(r"[A-Z]\w+", tree)) == known


def test_troubleshooting_names_errors_that_exist() -> None:
    found = set(names("docs/troubleshooting.md", "Troubleshooting"))
    assert found
    assert {name for name in found if not issubclass(getattr(errors, name), Exception)} == set()


def test_every_requirement_that_is_known_is_named() -> None:
    text = prose(ROOT / "docs/packages.md")
    section = text.partition("These requirements are known:")[2].partition("Any other")[0]
    assert set(re.findall(r"`(\w+)`", section)) == SUPPORTED


def test_every_hook_is_named() -> None:
    known = {name for name in vars(hooks) if name.startswith("localproc_")}
    found = re.findall(r"^\| `(localproc_\w+)` \|", prose(ROOT / "docs/plugins.md"), re.MULTILINE)
    assert set(found) == known


# HTTP


def test_resources_are_those_of_the_app(tmp_path: Path) -> None:
    with localproc.Engine(tmp_path / "home", run_jobs=False) as engine:
        routes: Any = create_app(engine, prefix="/here", echo=False).routes
    served = {
        (re.sub(r":\w+}", "}", one.path.removeprefix("/here")) or "/"): one.methods - {"HEAD"}
        for one in routes
        if one.path.startswith("/here")
    }
    documented = {
        row[0].strip("`"): set(row[1].split(", ")) for row in table("docs/http.md", "Resources")
    }
    assert documented == served


def test_the_receiver_in_the_guide_knows_what_is_genuine() -> None:
    block = next(one for one in PYTHON if "def is_genuine" in one.text)
    guide: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), guide)
    callback, body = (
        Callback("a-job", "https://example.org/told", "successUri"),
        b'{"status": "successful"}',
    )
    headers = signature("a secret", callback, datetime(2026, 5, 31, tzinfo=UTC), body)
    assert guide["is_genuine"]("a secret", headers, body)
    assert not guide["is_genuine"]("another", headers, body)
    assert not guide["is_genuine"]("a secret", headers, body + b" ")


# The command line


def commands(block: Block) -> list[list[str]]:
    """Give the calls of localproc in a block, as words."""
    joined = re.sub(r"\\\n\s*", "", block.text)
    lines = [re.sub(r"^\$ |\s+#.*$", "", line) for line in joined.splitlines()]
    found = [
        shlex.split(line.partition(" > ")[0]) for line in lines if line.startswith("localproc ")
    ]
    return [words for words in found if words]


@cache
def of_plugins() -> Mapping[str, click.Command]:
    """Give the commands that the plugins beside localproc add, installed or not."""
    sys.path.insert(0, str(ROOT / "plugins/localproc-eoepca/src"))
    try:
        from localproc_eoepca import localproc_commands
    finally:
        del sys.path[0]
    group = click.Group()
    localproc_commands(group)
    return group.commands


def check_call(words: list[str]) -> None:
    """See that every command and option of a call exists; what else stands there is an argument.

    After a package, options may be its inputs.
    """
    said = shlex.join(words)
    takes_inputs = False
    context = click.Context(command_line, **command_line.context_settings)
    command: click.Command = command_line
    rest = iter(words)
    for word in rest:
        if word == "--":
            return
        if word.startswith("-"):
            options = {name: one for one in command.get_params(context) for name in one.opts}
            name, _, value = word.partition("=")
            if takes_inputs and name not in options:
                continue
            assert name in options, f"{said}: {command.name} has no {name}"
            option = options[name]
            if isinstance(option, click.Option) and not option.is_flag and not value:
                next(rest, None)
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word) or of_plugins().get(word)
            assert inner is not None, f"{said}: there is no command {word}"
            command = inner
        else:
            takes_inputs = isinstance(command, PackageCommand)


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_and_options_in_shell_blocks_exist(block: Block) -> None:
    for words in commands(block):
        check_call(words[1:])


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_commands_and_options_in_the_text_exist(file: Path) -> None:
    for code in re.findall(r"`(localproc [^`]+)`", prose(file)):
        if "..." not in code and "[" not in code:
            check_call(shlex.split(code)[1:])


def test_every_command_is_in_the_guide() -> None:
    assert names("docs/command-line.md", "The command line") == list(COMMANDS)


def test_every_option_is_in_the_guide() -> None:
    text = (ROOT / "docs/command-line.md").read_text()
    context = click.Context(command_line, **command_line.context_settings)
    for name in COMMANDS:
        command = command_line.get_command(context, name)
        assert command is not None
        options = [one for one in command.params if isinstance(one, click.Option)]
        for option in [one for one in options if not one.hidden]:
            assert any(one in text for one in option.opts), f"{name} {option.opts}"


# Running the examples


def environment() -> dict[str, str]:
    """Give the environment in which the examples run: this very localproc, and nothing set."""
    found = {name: one for name, one in os.environ.items() if not name.startswith("LOCALPROC_")}
    source = str(Path(localproc.__file__).parents[1])
    return {
        **found,
        "PYTHONPATH": source,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "LOCALPROC_CACHE": "",
    }


def run(words: list[str], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("file", TO_RUN, ids=relative)
def test_marked_examples_run_one_after_the_other(file: Path, tmp_path: Path) -> None:
    for block in blocks(file):
        if block.mark.startswith("file: "):
            (tmp_path / block.mark.removeprefix("file: ")).write_text(block.text)
    for number, block in enumerate(blocks(file)):
        if block.mark == "run" and block.language == "python":
            run(["-W", "error", "-c", block.text], tmp_path)
        elif block.mark == "run":
            for words in commands(block):
                run(["-m", "localproc", *words[1:]], tmp_path)
        elif block.mark == "run: pytest":
            test = tmp_path / f"test_example_{number}.py"
            test.write_text(block.text)
            run(["-m", "pytest", "-p", "localproc.testing.pytest_plugin", test.name], tmp_path)


def test_marks_are_of_a_known_kind() -> None:
    marks = {block.mark for block in BLOCKS if block.mark}
    assert {
        one for one in marks if not re.fullmatch(r"run|run: pytest|file: \w+\.\w+", one)
    } == set()
    assert {"run", "run: pytest"} <= marks
