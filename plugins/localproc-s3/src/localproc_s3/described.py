"""What a STAC item says of an asset in S3.

Owns the fields of the storage extension, in both forms. Must not connect to anything.

The first is that of EOEPCA's results: the fields of version 1, undeclared, for its schema does not
know the platform. The second is version 2.0.0 of https://github.com/stac-extensions/storage.
"""

from typing import Final
from urllib.parse import urlsplit

from localproc.plugins.storage import Description
from localproc_s3.options import S3Options

_V2: Final = "https://stac-extensions.github.io/storage/v2.0.0/schema.json"


def described(options: S3Options, bucket: str, endpoint: str, region: str) -> Description:
    """Return the fields of an asset in a bucket; ``endpoint`` is that of the server."""
    shown = options.public_endpoint or endpoint
    if options.fields == "eoepca":
        return Description(
            {
                "storage:platform": options.platform,
                "storage:requester_pays": options.requester_pays,
                "storage:tier": "Standard",
                "storage:region": region,
                "storage:endpoint": shown,
            }
        )
    is_aws = (urlsplit(endpoint).hostname or "").endswith(".amazonaws.com")
    scheme = {
        "type": "aws-s3" if is_aws else "custom-s3",
        "platform": "https://{bucket}.s3.{region}.amazonaws.com"
        if is_aws
        else f"{shown}/{{bucket}}",
        "bucket": bucket,
        "region": region,
        "requester_pays": options.requester_pays,
    }
    return Description({"storage:refs": ["s3"]}, {"storage:schemes": {"s3": scheme}}, (_V2,))
