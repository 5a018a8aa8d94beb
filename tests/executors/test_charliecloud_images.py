"""Images that ch-image brings, which is played by a program of the tests' own."""

from pathlib import Path

import pytest

from localproc.errors import ImageError
from localproc.executors.containers.charliecloud import Charliecloud
from localproc.model import Container
from localproc.plugins.containers import ContainerSettings

BUILDER = """\
#!/bin/sh
: "${USER:?not set}"
mkdir -p "$CH_IMAGE_STORAGE/img/tool+1/ch"
echo '{}' > "$CH_IMAGE_STORAGE/img/tool+1/ch/config.pulled.json"
[ -z "$ENDS_EARLY" ] || exit 1
echo '{}' > "$CH_IMAGE_STORAGE/img/tool+1/ch/metadata.json"
"""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Charliecloud:
    for name in ("ch-run", "unshare", "mount", "ch-image"):
        (tmp_path / name).write_text(BUILDER)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("CH_IMAGE_STORAGE", str(tmp_path / "storage"))
    return Charliecloud(ContainerSettings(str(tmp_path)))


@pytest.mark.slow
@pytest.mark.parametrize("user", [None, "", "me"])
def test_ch_image_is_told_of_a_user_where_nobody_says_who_that_is(
    runtime: Charliecloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str | None
) -> None:
    """A service has no ``USER``, without which ch-image does nothing."""
    if user is None:
        monkeypatch.delenv("USER", raising=False)
    else:
        monkeypatch.setenv("USER", user)
    assert runtime.pull("tool:1", "tool:1").path == str(tmp_path / "storage/img/tool+1")
    assert runtime.build("FROM scratch\n", "tool:1").name == "tool:1"


@pytest.mark.slow
def test_an_image_whose_pull_has_failed_is_not_here(
    runtime: Charliecloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDS_EARLY", "yes")
    with pytest.raises(ImageError, match="ch-image pull failed"):
        runtime.pull("tool:1", "tool:1")
    assert runtime.image(Container("tool:1", "")) is None
    assert runtime.images() == []
    monkeypatch.delenv("ENDS_EARLY")
    assert [runtime.pull("tool:1", "tool:1").name] == [one.name for one in runtime.images()]
