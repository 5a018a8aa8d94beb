"""Lets the tests run without installing the plugin, and use what those of localproc share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "src"))
sys.path.append(str(Path(__file__).parents[2]))


@pytest.fixture(autouse=True)
def _patient_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a daemon answer when it can: tests of all kinds keep it and the machine busy."""
    monkeypatch.setattr("localproc_docker.opening.SOON", 100.0)
    for module in ("daemon_images", "gone_homes"):
        monkeypatch.setattr(f"localproc_docker.{module}.PROMPTLY", 100.0)
