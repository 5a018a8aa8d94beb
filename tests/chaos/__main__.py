"""``python -m tests.chaos [ROUNDS] [SEED]``: kill engines at random, and say what came of it.

Every fourth round dismisses its job. The folder of a round in which something is wrong is kept.
"""

import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.rounds import Round, dice


def main(rounds: int, seed: int) -> int:
    """Do so many rounds; return how many went wrong."""
    top = Path(tempfile.mkdtemp(prefix="localproc-chaos-")).resolve()
    first = Round(top / "undisturbed", dice(seed, 0))
    expected = first.undisturbed()
    assert expected, (top / "undisturbed" / "log.txt").read_text()
    print(f"{rounds} rounds with the seed {seed} in {top}", flush=True)
    deaths: Counter[str] = Counter()
    bad = 0
    for number in range(1, rounds + 1):
        here = Round(top / str(number), dice(seed, number), first.span)
        do = here.kill_and_dismiss if number % 4 == 0 else here.kill_and_resume
        try:
            wrong = do(expected)
        except Exception as error:
            wrong = [f"{type(error).__name__}: {error}"]
        deaths += here.deaths
        if wrong:
            bad += 1
            print(f"round {number} ({do.__name__}, {here.folder}): {'; '.join(wrong)}", flush=True)
        else:
            shutil.rmtree(here.folder)
    killed = f"{deaths['engine']} engines and {deaths['keeper']} keepers killed"
    print(f"{rounds - bad} of {rounds} rounds as they should be; {killed}")
    if not bad:
        shutil.rmtree(top)
    return bad


if __name__ == "__main__":
    rounds, seed = [*map(int, sys.argv[1:]), *(100, os.getpid())[len(sys.argv) - 1 :]]
    sys.exit(1 if main(rounds, seed) else 0)
