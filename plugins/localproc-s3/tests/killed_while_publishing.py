"""A process that publishes to S3 until it is killed: ``HOME RESULTS SIZE OPTIONS``."""

import json
import sys
from typing import Any

import localproc_s3
from s3_packages import SCENE

import localproc

home, results, size, options = sys.argv[1:]
settings: dict[str, Any] = {
    "plugins": [localproc_s3],
    "storage_options": {"s3": json.loads(options)},
}
with localproc.Engine(home, results=results, **settings) as engine:
    engine.run(SCENE, {"size": int(size)})
