"""Results as Python values."""

from typing import Any

import pytest

from localproc.engine.results import StacResults
from localproc.errors import StagingError


def test_an_item_that_pystac_cannot_read_is_told() -> None:
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "N",
        "geometry": None,
        "properties": {"datetime": "yesterday"},
        "links": [],
        "assets": {},
    }
    results = StacResults("file:///r/job-1", {"features": [item]})
    with pytest.raises(StagingError, match="pystac cannot read the item 'N'") as caught:
        _ = results.items
    assert "document has it as it is" in caught.value.hint
