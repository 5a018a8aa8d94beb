"""STAC items on their way in: each becomes a local catalog, or several become one.

Owns the layout (that of EOEPCA's stage-in: ``catalog.json``, ``<id>/<id>.json`` and the assets
beside it) and what becomes of each asset. Must not know inputs.
"""

import json
import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from localproc.errors import StagingError
from localproc.media_types import extension
from localproc.storage import stac
from localproc.storage.access import Access
from localproc.storage.addresses import redacted
from localproc.storage.asset_choice import AssetChoice, Fate
from localproc.storage.asset_places import advice, places
from localproc.storage.disk import is_there, telling
from localproc.storage.integrity import verify_asset
from localproc.storage.names import free_name, link_name, numbered, safe_name, url_name
from localproc.storage.stac_items import FoundItem
from localproc.storage.staging_folders import StagingFolders
from localproc.uris import data_of, is_data, unquoted, uri_path

_ID: Final = "the id of an item"
_SHOWN: Final = 10  #: assets of which none is wanted


class StacIn:
    """Makes catalogs of items. What has to be fetched for them is noted as ``parts``."""

    def __init__(
        self,
        access: Access,
        folders: StagingFolders,
        parts: list[Callable[[], None]],
        choice: AssetChoice,
        log: Callable[[str], None],
    ) -> None:
        self._access = access
        self._folders = folders
        self._parts = parts
        self._choice = choice
        self._log = log

    def bring(self, folder: str, items: Sequence[FoundItem], label: str) -> None:
        """Make a folder the catalog of some items."""
        named: dict[str, FoundItem] = {}
        for found in items:
            named[numbered(link_name(_checked_id(found)), named)] = found
        temporary = self._folders.begin(folder)
        for name, found in named.items():
            self._item(found, os.path.join(temporary, name), name, label)
        catalog = stac.staged_catalog({name: found.item for name, found in named.items()})
        _write(os.path.join(temporary, stac.CATALOG), catalog)
        what = f"the STAC item {items[0].item['id']}" if len(items) == 1 else f"{len(items)} items"
        self._folders.end(folder, temporary, f"{label}: {what} → {self._folders.shown(folder)}")

    def _item(self, found: FoundItem, folder: str, name: str, label: str) -> None:
        """Have an item's assets brought beside it."""
        os.makedirs(folder)
        hrefs: dict[str, str | None] = {}
        taken = {f"{name}.json"}
        for key, own in found.item["assets"].items():
            uri, asset = self._place(own, found)
            fate = self._choice.fate(key, asset)
            if fate is Fate.LEFT_OUT:
                hrefs[key] = None
                continue
            if fate is Fate.REMOTE and not uri.startswith(("file:", "data:")):
                self._access.check(uri)
                hrefs[key] = uri
                self._log(f"{label}: asset {redacted(uri)} stays there")
                continue
            wanted = safe_name(_file_name(uri, key, asset), f"the file name of the asset {key!r}")
            file = free_name(link_name(wanted), link_name(key), taken)
            taken.add(file)
            hrefs[key] = f"./{file}"
            bring = self._inline if is_data(uri) else self._asset
            self._parts.append(bring(uri, asset, f"{folder}/{file}", found, label))
        if hrefs and not any(hrefs.values()):
            some = ", ".join(list(hrefs)[:_SHOWN])
            self._log(f"{label}: none of the assets of {found.shown} is wanted: {some}")
        _write(os.path.join(folder, f"{name}.json"), stac.staged_item(found.item, hrefs))

    def _place(self, asset: Mapping[str, Any], found: FoundItem) -> tuple[str, Mapping[str, Any]]:
        """Return where an asset is brought from, and what is said of it there.

        That is the first of its places that has a storage here.
        """
        options = places(asset, self._choice.alternates)
        for one in options if len(options) > 1 else ():
            try:
                uri = stac.absolute(one["href"], found.uri)
            except StagingError:
                continue
            if self._is_reached(uri, found):
                return uri, one
        return stac.absolute(asset["href"], found.uri), asset

    def _is_reached(self, uri: str, found: FoundItem) -> bool:
        if uri.startswith("file:"):
            return found.uri.startswith("file:") and is_there(uri_path(uri))
        return is_data(uri) or self._access.reaches(uri)

    def _asset(
        self, uri: str, asset: Mapping[str, Any], target: str, found: FoundItem, label: str
    ) -> Callable[[], None]:
        """Link a local asset, download any other; what the item says of it must be true."""
        shown, parent = redacted(uri), found.shown
        said = asset.get("file:size"), asset.get("file:checksum")

        def bring() -> None:
            doubt = ""
            if not uri.startswith("file:"):
                try:
                    doubt = self._access.download(
                        uri, target, lambda: verify_asset(target, *said, shown)
                    )
                except StagingError as error:
                    hints = error.hint, advice(asset, found.item, uri)
                    error.hint = "; ".join(filter(None, hints))
                    raise
            elif not found.uri.startswith("file:"):
                raise StagingError(f"the item {parent} has an asset on this machine", uri=shown)
            else:
                path = uri_path(uri)
                self._access.check_path(path)
                if not is_there(path):
                    raise StagingError(f"the asset {path} of {parent} does not exist", uri=shown)
                os.symlink(path, target)
                if os.path.isfile(path):  # a Zarr store is a folder
                    doubt = verify_asset(path, *said, shown)
            self._log(f"{label}: {doubt or f'asset {shown}'}")

        return bring

    def _inline(
        self, uri: str, asset: Mapping[str, Any], target: str, found: FoundItem, label: str
    ) -> Callable[[], None]:
        """Write an asset that is in its href (RFC 2397); what the item says of it must be true."""
        shown = f"the asset {posixpath.basename(target)} in {found.shown}"
        said = asset.get("file:size"), asset.get("file:checksum")

        def bring() -> None:
            try:
                data, _ = data_of(uri)
            except ValueError as error:
                raise StagingError(f"{shown} cannot be read: {error}", uri=found.shown) from None
            with telling(target), open(target, "wb") as file:
                file.write(data)
            self._log(f"{label}: {verify_asset(target, *said, shown) or shown}")

        return bring


def _file_name(uri: str, key: str, asset: Mapping[str, Any]) -> str:
    """Return what an asset's file is to be called: as at the end of its address, if it has one."""
    name = "" if is_data(uri) else posixpath.basename(unquoted(urlsplit(uri).path))
    return name or url_name(key) + extension(str(asset.get("type", "")))


def _checked_id(found: FoundItem) -> str:
    """Return an item's id as the name of its folder; some ids have slashes."""
    whole = str(found.item["id"])
    try:
        item_id = safe_name("_".join(safe_name(one, _ID) for one in whole.split("/")), _ID)
    except StagingError:
        raise StagingError(
            f"{whole!r} cannot be {_ID}",
            hint="at most 200 bytes, of which no part is '..' or begins with a dash",
            uri=found.shown,
        ) from None
    if item_id in (stac.CATALOG, stac.COLLECTION):
        raise StagingError(f"{item_id!r} cannot be {_ID}", uri=found.shown)
    return item_id


def _write(path: str, document: Mapping[str, Any]) -> None:
    with telling(path), open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
