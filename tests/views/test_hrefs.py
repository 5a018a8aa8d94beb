"""Places of files in documents that leave this machine."""

from localproc.views.hrefs import with_addresses

ROOT = "file:///home/jane/results/job-1"


def test_what_was_published_gets_an_address() -> None:
    document = {
        "features": [{"assets": {"mask": {"href": f"{ROOT}/job-1/N/mask.tif"}}}],
        "out": {"class": "File", "location": f"{ROOT}/out.txt", "size": 3},
    }
    assert with_addresses(document, ROOT, "https://example.org/jobs/job-1/files") == {
        "features": [
            {"assets": {"mask": {"href": "https://example.org/jobs/job-1/files/job-1/N/mask.tif"}}}
        ],
        "out": {
            "class": "File",
            "location": "https://example.org/jobs/job-1/files/out.txt",
            "size": 3,
        },
    }


def test_what_else_lies_on_this_machine_keeps_its_name_alone() -> None:
    document = {"href": "file:///etc/my%20secrets.txt", "prov:location": f"{ROOT}-2/other.txt"}
    assert with_addresses(document, ROOT, "https://example.org") == {
        "href": "my secrets.txt",
        "prov:location": "other.txt",
    }


def test_what_lies_elsewhere_stays_as_it_is() -> None:
    document = {"href": "https://example.com/a.tif", "location": "s3://bucket/a.tif"}
    assert with_addresses(document, ROOT, "https://example.org") == document
    s3 = {"href": "s3://bucket/job-1/a.tif"}
    assert with_addresses(s3, "s3://bucket/job-1", "https://example.org") == s3


def test_texts_that_are_no_places_stay_as_they_are() -> None:
    document = {"title": f"{ROOT}/out.txt", "values": [f"{ROOT}/out.txt", 3, None]}
    assert with_addresses(document, ROOT, "https://example.org") == document
