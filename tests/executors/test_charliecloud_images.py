"""Images that ch-image brings, which is played by a program of the tests' own."""

from pathlib import Path

import pytest

from localproc.executors.containers.charliecloud import Charliecloud
from localproc.plugins.containers import ContainerSettings

BUILDER = """\
#!/bin/sh
: "${USER:?not set}"
mkdir -p "$CH_IMAGE_STORAGE/img/tool+1"
"""


@pytest.mark.slow
@pytest.mark.parametrize("user", [None, "", "me"])
def test_ch_image_is_told_of_a_user_where_nobody_says_who_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str | None
) -> None:
    """A service has no ``USER``, without which ch-image does nothing."""
    for name in ("ch-run", "unshare", "mount", "ch-image"):
        (tmp_path / name).write_text(BUILDER)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("CH_IMAGE_STORAGE", str(tmp_path / "storage"))
    if user is None:
        monkeypatch.delenv("USER", raising=False)
    else:
        monkeypatch.setenv("USER", user)
    runtime = Charliecloud(ContainerSettings(str(tmp_path)))
    assert runtime.pull("tool:1", "tool:1").path == str(tmp_path / "storage/img/tool+1")
    assert runtime.build("FROM scratch\n", "tool:1").name == "tool:1"
