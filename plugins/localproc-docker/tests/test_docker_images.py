"""The images of a daemon: which there are, and how others are brought."""

import base64
import hashlib
import io
import json
import os
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker_daemon import BARE, IMAGE
from docker_fixtures import PodmanApi, api
from localproc_docker import localproc_containers, registry_credentials
from localproc_docker.daemon_images import DaemonImages, brings, image_of
from localproc_docker.engine_api import EngineApi
from registry import registry

from localproc.errors import EnvironmentProblem, ImageError
from localproc.model import Container
from localproc.plugins.containers import ContainerSettings

__all__ = ["api"]  # a fixture


def test_an_image_has_what_it_starts() -> None:
    config = {"Entrypoint": ["run"], "Cmd": ["--help"], "Env": ["PATH=/bin", "EMPTY="]}
    found = image_of("tool:1", {"Id": "sha256:1", "Config": config})
    assert (found.name, found.id, found.digest) == ("tool:1", "sha256:1", "sha256:1")
    assert (found.entrypoint, found.command) == (("run",), ("--help",))
    assert found.env == {"PATH": "/bin", "EMPTY": ""}


def test_an_image_may_start_nothing() -> None:
    assert image_of("a", {"Id": "sha256:1", "Config": None}).entrypoint == ()
    assert image_of("a", {"Id": "sha256:1", "Config": {"Cmd": None}}).command == ()


@pytest.mark.parametrize(
    ("container", "command"),
    [
        (Container("tool", "/", pull="tool:1"), "docker pull tool:1"),
        (
            Container("tool", "/", load="/a b.tar"),
            "localproc images load '/a b.tar' --name tool --containers docker",
        ),
        (Container("tool", "/", imported="/a.tar"), "docker import /a.tar tool"),
        (Container("tool", "/", build="FROM x"), "docker build --tag tool - < its Dockerfile"),
        (Container("tool", "/"), "docker load or docker build"),
    ],
)
def test_a_missing_image_is_told_with_what_brings_it(container: Container, command: str) -> None:
    assert brings(container) == command


@pytest.mark.service
class TestImages:
    name = "docker"

    @pytest.fixture
    def images(self, api: EngineApi) -> DaemonImages:
        return DaemonImages(api, self.name)

    @pytest.fixture
    def name_of(self, api: EngineApi) -> Iterator[str]:
        yield from fresh_name(api)

    def test_the_daemon_says_what_it_is(self, images: DaemonImages) -> None:
        assert images.version().startswith(f"{self.name} ")

    def test_those_that_are_here_are_found_and_others_are_none(self, images: DaemonImages) -> None:
        found = images.image(Container(IMAGE, "/"))
        assert found is not None
        assert found.env["PATH"] == "/bin"
        assert any(one.name.endswith(IMAGE) and one.size for one in images.images())
        for name in ("registry.invalid/none:1", "/a/folder", "../none"):
            assert images.image(Container(name, "/")) is None, name

    def test_one_that_is_saved_can_be_loaded(
        self, images: DaemonImages, name_of: str, tmp_path: Path
    ) -> None:
        found = images.image(Container(BARE, "/"))
        assert found is not None
        archive = tmp_path / "bare.tar"
        images.save(found, str(archive))
        loaded = images.load(str(archive), name_of)
        assert (loaded.name, loaded.digest) == (name_of, found.digest)
        assert os.listdir(tmp_path) == ["bare.tar"]

    def test_one_of_dockers_own_registry_is_found_by_either_name(
        self, images: DaemonImages, name_of: str, tmp_path: Path
    ) -> None:
        """Podman calls what it loads without a registry ``localhost/...``."""
        loaded = images.load(str(layout(tmp_path / "layout.tar")), name_of)
        for name in (f"docker.io/{name_of}", f"index.docker.io/{name_of}"):
            found = images.image(Container(name, "/"))
            assert found is not None, name
            assert found.digest == loaded.digest

    def test_one_that_is_called_by_its_digest_is_that_where_it_is_loaded(
        self, images: DaemonImages, tmp_path: Path
    ) -> None:
        """A daemon gives such names to what it has pulled alone."""
        pinned = f"localproc-tests/{uuid.uuid4().hex}:1@sha256:{uuid.uuid4().hex * 2}"
        bare = images.image(Container(BARE, "/"))
        assert bare is not None
        images.save(bare, str(tmp_path / "bare.tar"))
        loaded = images.load(str(tmp_path / "bare.tar"), pinned)
        assert (loaded.name, loaded.digest) == (pinned, bare.digest)
        images.save(loaded, str(tmp_path / "pinned.tar"))
        (name,) = tags(tmp_path / "pinned.tar")
        images._api.delete(f"/images/{name}")
        assert images.image(Container(pinned, "/")) is None
        images.load(str(tmp_path / "pinned.tar"), "")
        assert images.image(Container(pinned, "/")) == loaded
        images._api.delete(f"/images/{name}")

    def test_an_oci_layout_can_be_loaded(
        self, images: DaemonImages, name_of: str, tmp_path: Path
    ) -> None:
        archive = layout(tmp_path / "layout.tar")
        assert images.load(str(archive), name_of).command == ("/none",)

    def test_a_root_file_system_can_be_imported(
        self, images: DaemonImages, name_of: str, tmp_path: Path
    ) -> None:
        (tmp_path / "root.tar").write_bytes(root())
        made = images.imported(str(tmp_path / "root.tar"), name_of)
        assert (made.name, made.entrypoint) == (name_of, ())

    def test_what_is_no_image_is_told(self, images: DaemonImages, tmp_path: Path) -> None:
        (tmp_path / "none.tar").write_text("nothing")
        with pytest.raises(ImageError, match=r"none\.tar"):
            images.load(str(tmp_path / "none.tar"), "")
        with pytest.raises(ImageError, match="No such file"):
            images.load(str(tmp_path / "nowhere.tar"), "")


class TestPodmanImages(PodmanApi, TestImages):
    pass


@pytest.mark.service
class TestBringing:
    """Podman builds with other means, and wants each registry without TLS to be set up."""

    @pytest.fixture
    def images(self, api: EngineApi) -> DaemonImages:
        return DaemonImages(api, "docker")

    @pytest.fixture
    def name_of(self, api: EngineApi) -> Iterator[str]:
        yield from fresh_name(api)

    def test_a_dockerfile_makes_one(self, images: DaemonImages, name_of: str) -> None:
        made = images.build(
            f'FROM {IMAGE}\nRUN echo hello > /made\nCMD ["cat", "/made"]\n', name_of
        )
        assert made.command == ("cat", "/made")

    def test_a_dockerfile_that_fails_is_told(self, images: DaemonImages) -> None:
        with pytest.raises(ImageError, match="returned a non-zero code: 3"):
            images.build(f"FROM {IMAGE}\nRUN exit 3\n", "localproc-tests/never:1")

    def test_a_private_registry_is_told_who_the_user_is(
        self, images: DaemonImages, name_of: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with registry("me", "se:cret") as server:
            with pytest.raises(ImageError, match="cannot be pulled"):
                images.pull(server.reference, name_of)
            auth = base64.b64encode(b"me:se:cret").decode()
            configure(tmp_path, {"auths": {server.address: {"auth": auth}}})
            pulled = images.pull(server.reference, name_of)
            assert (pulled.name, pulled.command) == (name_of, ("/none",))
            images._api.delete(f"/images/{server.reference}", force=True)


def fresh_name(api: EngineApi) -> Iterator[str]:
    """Yield a name that no image has; the one that gets it is removed."""
    name = f"localproc-tests/{uuid.uuid4().hex}:1"
    yield name
    api.delete(f"/images/{name}", force=True)


def tags(archive: Path) -> list[str]:
    """Return the names that an image has in a file of ``docker save``."""
    with tarfile.open(archive) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        return [name for one in json.load(manifest) for name in one["RepoTags"] or ()]


def configure(folder: Path, configuration: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(configuration))


def sent(reference: str, folder: Path) -> dict[str, str]:
    environ = {"DOCKER_CONFIG": str(folder), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    text = registry_credentials.header(reference, environ)
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(text)) if text else {}
    return found


def test_nobody_is_told_to_a_registry_that_the_user_does_not_know(tmp_path: Path) -> None:
    assert sent("registry.example/tool:1", tmp_path) == {}
    configure(tmp_path, {"auths": {"other.example": {"auth": "bWU6eA=="}}})
    assert sent("registry.example/tool:1", tmp_path) == {}


def test_images_without_a_registry_are_those_of_the_hub(tmp_path: Path) -> None:
    configure(tmp_path, {"auths": {"https://index.docker.io/v1/": {"auth": "bWU6eA=="}}})
    assert sent("tool:1", tmp_path)["username"] == "me"
    assert sent("somebody/tool", tmp_path)["password"] == "x"
    assert sent("localhost:5000/tool", tmp_path) == {}


def test_a_credential_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-tests"
    helper.write_text(
        '#!/bin/sh\nread -r name\n[ "$name" = registry.example ] || exit 1\n'
        'echo \'{"Username": "<token>", "Secret": "abc"}\'\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    configure(tmp_path, {"credHelpers": {"registry.example": "tests"}})
    assert sent("registry.example/tool:1", tmp_path)["identitytoken"] == "abc"
    configure(tmp_path, {"credsStore": "tests"})
    assert sent("registry.example/a/b:1", tmp_path)["identitytoken"] == "abc"
    assert sent("other.example/tool:1", tmp_path) == {}
    configure(tmp_path, {"credsStore": "absent"})
    with pytest.raises(ImageError, match="docker-credential-absent"):
        sent("registry.example/tool:1", tmp_path)


# httpcore leaves the socket of a connection that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_runtime_names_the_executor_that_its_tasks_go_to(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/nobody.sock"
    settings = ContainerSettings(str(tmp_path), {"host": host})
    for plugin in localproc_containers():
        assert plugin.executor == plugin.name
        assert not plugin.is_here(settings)
        with pytest.raises(EnvironmentProblem, match="does not answer"):
            plugin.open(settings).version()


def root() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    return file.getvalue()


def layout(path: Path) -> Path:
    """Write an OCI layout in a tar file."""
    layer = root()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/none"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
        }
    ).encode()
    kind = "application/vnd.oci.image."
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": described(kind + "config.v1+json", config),
            "layers": [described(kind + "layer.v1.tar", layer)],
        }
    ).encode()
    index = {"schemaVersion": 2, "manifests": [described(kind + "manifest.v1+json", manifest)]}
    with tarfile.open(path, "w") as tar:
        files = {"blobs/" + digest(one).replace(":", "/"): one for one in (config, layer, manifest)}
        files["index.json"] = json.dumps(index).encode()
        files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def described(kind: str, data: bytes) -> dict[str, object]:
    return {"mediaType": kind, "size": len(data), "digest": digest(data)}


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
