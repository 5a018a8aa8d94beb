"""Two checkouts side by side: ``python -m benchmarks.versions OLD NEW [--only NAME] [--rounds N]``.

Owns whether a change made anything slower: each round measures a concern in one checkout and then
in the other, each by its own benchmarks and its own environment (``.venv``), so that both see the
same weather. Every other round begins with the other one: on a disk the second pays for what the
first has removed. A row that both have is compared by its medians; it is told as worse when the new
one is slower by more than the rounds of the old one differ from each other. Must not know what is
measured.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

Rounds = Mapping[str, Sequence[float]]
_WIDTH = 72


def main() -> None:
    """Measure and print."""
    options = _options()
    for concern in options.only:
        try:
            old, new = _in_turn(concern, options)
        except subprocess.CalledProcessError as error:
            print(f"{concern}: {error.cmd[0]} does not measure it (exit {error.returncode})")
            continue
        for row in _compared(old, new):
            print(row, flush=True)


def _in_turn(concern: str, options: argparse.Namespace) -> tuple[Rounds, Rounds]:
    """Return the figures of each row, by round, of the old checkout and of the new one."""
    seen: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    sides = list(zip(seen, (options.old, options.new), strict=True))
    for number in range(options.rounds):
        for rounds, checkout in sides[:: -1 if number % 2 else 1]:
            for name, figure in _measured(checkout, concern, quick=options.quick):
                rounds.setdefault(name, []).append(figure)
    return seen


def _measured(checkout: Path, concern: str, *, quick: bool) -> Iterator[tuple[str, float]]:
    """Yield each row of one round: what it is called, and its figure, less being better."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "rows.json")
        argv = [str(checkout / ".venv/bin/python"), "-m", "benchmarks", "--only", concern]
        argv += ["--rounds", "1", "--json", str(written), *(["--quick"] if quick else [])]
        subprocess.run(argv, cwd=checkout, check=True, stdout=subprocess.DEVNULL)
        rows: list[dict[str, Any]] = json.loads(written.read_text())
    case = ""
    for row in rows:
        if "who" in row:
            case = row["case"] or case
            against = f" against {row['against']}" if row["against"] else ""
            value = row["value"] if row["ratio"] is None else row["ratio"]
            unit = row["unit"] if row["ratio"] is None else "x"
            yield f"{case}: {row['who']}{against}, {unit}", -value if row["at_least"] else value


def _compared(old: Rounds, new: Rounds) -> Iterator[str]:
    for name in (name for name in new if name in old):
        before, now = median(old[name]), median(new[name])
        noise = max(old[name]) - min(old[name])
        told = "worse" if now - before > noise else ""
        times = f"{now / before:.2f}x" if before else ""
        yield f"{name:<{_WIDTH}} {abs(before):10.4g} {abs(now):10.4g} {times:>7} {told}".rstrip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    parser.add_argument("old", type=Path, help="a checkout with its environment in .venv")
    parser.add_argument("new", type=Path, help="the other one")
    parser.add_argument("--only", action="append", required=True, help="may be given again")
    parser.add_argument("--rounds", type=int, default=5, help="how often both are measured (5)")
    parser.add_argument("--quick", action="store_true", help="no scatter of 10,000")
    return parser.parse_args()


if __name__ == "__main__":
    main()
