"""Results that are downloaded from where they have been put."""

from pathlib import Path

from localproc.storage.filesystem import FilesystemStorage
from localproc.storage.published import Published


def test_a_result_may_have_the_name_of_a_part_of_another(tmp_path: Path) -> None:
    """Two that are downloaded at the same time stay two."""
    root, folder = tmp_path / "there", tmp_path / "here"
    root.mkdir()
    names = ["scene.tif", "scene.tif.part", "scene.tif.part.part"]
    for name in names:
        (root / name).write_text(name * 1000)
    published = Published(lambda _: FilesystemStorage(), root.as_uri())
    published.download([f"{root.as_uri()}/{name}" for name in names], str(folder))
    assert sorted(one.name for one in folder.iterdir()) == names
    assert all((folder / name).read_text() == name * 1000 for name in names)
