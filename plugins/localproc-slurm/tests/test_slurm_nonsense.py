"""Commands of a cluster that break: nothing is refused, lost or run twice for it."""

import os
import shutil
from pathlib import Path

import pytest
from slurm_cluster import Cluster
from slurm_fixtures import SlurmTests, cluster, open_slurm, running_cluster

__all__ = ["cluster", "running_cluster"]  # fixtures

pytestmark = pytest.mark.service

#: What the first call of a command does; ``real`` is the command itself.
BROKEN = {
    "says nothing": "exit 0",
    "says nothing and has done it": "real >/dev/null",
    "is killed": "kill -KILL $$",
    "is killed and has done it": "real >/dev/null; kill -KILL $$",
    "cannot be run": "echo 'sbatch: libslurm.so: cannot open shared object file' >&2; exit 127",
    "fails without a word": "exit 7",
    "is a page": "echo '<html><body>502 Bad Gateway</body></html>'",
    "is no text": "printf '\\377\\376|\\0\\n'",
    "is cut off": "real | head -c 4",
    "fails on stdout": "echo 'slurm_load_jobs error: Unable to contact slurm controller'",
}


def break_first(command: str, how: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a command in the place of another one, whose first call goes wrong."""
    real, bad = shutil.which(command), folder / "bad"
    bad.mkdir()
    (bad / command).write_text(
        f"""#!/bin/sh
real() {{ "{real}" "$@"; }}
if mkdir "{bad}/called" 2>/dev/null; then
  {BROKEN[how].replace("real", 'real "$@"')}
  exit
fi
real "$@"
"""
    )
    (bad / command).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bad}:{os.environ['PATH']}")


class TestNonsense(SlurmTests):
    @pytest.mark.parametrize("how", list(BROKEN))
    @pytest.mark.parametrize("command", ["sbatch", "squeue"])
    def test_what_makes_no_sense_is_asked_again(
        self,
        command: str,
        how: str,
        tmp_path: Path,
        cluster: Cluster,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        executor = open_slurm(tmp_path / "home", "first", {})
        break_first(command, how, tmp_path, monkeypatch)
        tasks = [self.task(tmp_path, f"s{n}", "echo ran >> ran.txt; exit 5") for n in range(2)]
        executor.submit(tasks)
        found = self.reports(executor, [one.key for one in tasks])
        executor.close()
        assert [found[one.key].exit_code for one in tasks] == [5, 5]
        assert [(Path(one.outdir) / "ran.txt").read_text() for one in tasks] == ["ran\n"] * 2
        assert (tmp_path / "bad" / "called").exists()
