"""The storage in memory keeps the contract of storages."""

import localproc_template
import pytest
from localproc_template.storage import MemoryStorage

from localproc.plugins.manager import PluginManager
from localproc.plugins.storage import Storage
from localproc.testing.storages import StorageContract


class TestMemoryStorage(StorageContract):
    """Inherits all tests; the fixtures say which storage, and where there is an empty folder."""

    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage.open({})

    @pytest.fixture
    def root(self) -> str:
        return "memory://tests/results"


def test_two_engines_do_not_share_their_objects() -> None:
    box = PluginManager([localproc_template], entry_points=False)
    plugin = box.storage("memory")
    assert plugin.open({}) is not plugin.open({})
