"""What a daemon says of an image."""

from localproc_docker.images import image_of


def test_an_image_has_what_it_starts() -> None:
    found = image_of(
        "tool:1", {"Id": "sha256:1", "Config": {"Entrypoint": ["run"], "Cmd": ["--help"]}}
    )
    assert (found.entrypoint, found.command) == (("run",), ("--help",))


def test_an_image_may_start_nothing() -> None:
    assert image_of("tool:1", {"Id": "sha256:1", "Config": None}).entrypoint == ()
    assert image_of("tool:1", {"Id": "sha256:1", "Config": {"Cmd": None}}).command == ()
