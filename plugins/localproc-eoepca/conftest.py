"""Lets the tests run without installing the plugin, nor that for S3."""

import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE / "src"), str(_HERE.parent / "localproc-s3" / "src")]
