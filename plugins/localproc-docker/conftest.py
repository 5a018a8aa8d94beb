"""Lets the tests run without installing the plugin, and use what those of localproc share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))
sys.path.append(str(Path(__file__).parents[2]))
