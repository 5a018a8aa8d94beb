"""``python -m tests.chaos.storage [ROUNDS] [SEED]``: staging and publishing while all goes wrong.

The S3 server is that of ``LOCALPROC_TEST_S3``. Every fourth round dismisses its job. The folder of
a round in which something is wrong is kept.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugins" / "localproc-s3"
sys.path[:0] = [str(PLUGIN / "src"), str(PLUGIN / "tests")]
os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (PLUGIN / "src", ROOT / "src", ROOT)))

from s3_server import bucket_of, real_server  # noqa: E402

from tests.chaos.rounds import dice  # noqa: E402
from tests.chaos.storage_round import StorageRound, scene  # noqa: E402

#: A large asset comes and goes in parts.
_SIZES = {"large.bin": 11 << 20, "small.bin": 70_000, "tiny.bin": 1000, "empty.bin": 0}


def main(rounds: int, seed: int) -> int:
    """Do so many rounds; return how many went wrong."""
    top = Path(tempfile.mkdtemp(prefix="localproc-chaos-")).resolve()
    server, counts, bad, begun = real_server(), Counter[str](), 0, time.monotonic()
    contents = {name: dice(seed, size).randbytes(size) for name, size in _SIZES.items()}
    with bucket_of(server) as bucket:
        for name, data in {**contents, "N.json": json.dumps(scene(contents)).encode()}.items():
            server.client().put_object(Bucket=bucket, Key=f"scene/{name}", Body=data)
        first = StorageRound(top / "undisturbed", server, bucket, contents, dice(seed, 0))
        wrong = first.undisturbed()
        first.close()
        assert not wrong, (wrong, (top / "undisturbed" / "log.txt").read_text())
        print(f"{rounds} rounds with the seed {seed} in {top}, {first.span} requests", flush=True)
        for number in range(1, rounds + 1):
            here = StorageRound(
                top / str(number), server, bucket, contents, dice(seed, number), first.span
            )
            do = here.kill_and_dismiss if number % 4 == 0 else here.kill_and_resume
            try:
                wrong = do()
            except Exception as error:
                wrong = [f"{type(error).__name__}: {error}"]
            here.close()
            longest = max(counts["longest"], here.counts["longest"])
            counts = counts + here.counts
            counts["longest"] = longest
            if wrong:
                bad += 1
                print(
                    f"round {number} ({do.__name__}, {here.folder}): {'; '.join(wrong)}", flush=True
                )
            else:
                shutil.rmtree(here.folder)
            if number % 20 == 0:
                print(f"{number - bad} of {number}: {_told(counts)}", flush=True)
    print(f"{rounds - bad} of {rounds} rounds as they should be; {_told(counts)}")
    print(f"{time.monotonic() - begun:.0f} s in all")
    if not bad:
        shutil.rmtree(top)
    return bad


def _told(counts: Counter[str]) -> str:
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{told} (the longest is in seconds)"


if __name__ == "__main__":
    if not os.environ.get("LOCALPROC_TEST_S3"):
        sys.exit("LOCALPROC_TEST_S3 names no S3 server")
    rounds, seed = [*map(int, sys.argv[1:]), *(200, os.getpid())[len(sys.argv) - 1 :]]
    sys.exit(1 if main(rounds, seed) else 0)
