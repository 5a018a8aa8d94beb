"""An SFTP server on this machine with a folder of its own; its password is hush-hush."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import paramiko

KEY = paramiko.RSAKey.generate(2048)
_OPEN: list[paramiko.Transport] = []


class _Users(paramiko.ServerInterface):  # type: ignore[misc] # it has no types
    def check_auth_password(self, username: str, password: str) -> int:
        is_known = (username, password) == ("eo", "hush-hush")
        return int(paramiko.AUTH_SUCCESSFUL if is_known else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def get_allowed_auths(self, username: str) -> str:
        return "password"


class _Handle(paramiko.SFTPHandle):  # type: ignore[misc]
    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


def _files_in(root: Path) -> type[paramiko.SFTPServerInterface]:
    """Return what serves the files of a folder."""

    def answering(action: Any) -> Any:
        def answer(self: Any, *arguments: Any) -> Any:
            try:
                found = action(*arguments)
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)
            return paramiko.SFTP_OK if found is None else found

        return answer

    def at(path: str) -> str:
        return str(root / path.lstrip("/"))

    def listed(path: str) -> list[Any]:
        with os.scandir(at(path)) as found:
            return [paramiko.SFTPAttributes.from_stat(one.stat(), one.name) for one in found]

    def opened(path: str, flags: int, attr: Any) -> _Handle:
        number = os.open(at(path), flags, 0o644)
        mode = "wb" if flags & os.O_WRONLY else "r+b" if flags & os.O_RDWR else "rb"
        handle = _Handle(flags)
        handle.readfile = handle.writefile = os.fdopen(number, mode)
        return handle

    def renamed(old: str, new: str) -> None:
        os.link(at(old), at(new))
        os.remove(at(old))

    verbs: dict[str, Any] = {
        "list_folder": listed,
        "stat": lambda path: paramiko.SFTPAttributes.from_stat(os.stat(at(path))),
        "lstat": lambda path: paramiko.SFTPAttributes.from_stat(os.lstat(at(path))),
        "open": opened,
        "remove": lambda path: os.remove(at(path)),
        "rename": renamed,
        "posix_rename": lambda old, new: os.replace(at(old), at(new)),
        "mkdir": lambda path, attr: os.mkdir(at(path)),
        "rmdir": lambda path: os.rmdir(at(path)),
    }
    members = {name: answering(action) for name, action in verbs.items()}
    return type("Files", (paramiko.SFTPServerInterface,), members)


@contextmanager
def serving(root: Path) -> Iterator[int]:
    """Serve the files of a folder; give the port."""
    files = _files_in(root)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):  # the socket is closed: it is over
                while True:
                    transport = paramiko.Transport(listening.accept()[0])
                    transport.add_server_key(KEY)
                    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
                    _OPEN.append(transport)
                    transport.start_server(event=threading.Event(), server=_Users())

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    hang_up()


def hang_up() -> None:
    """Close all connections that there are."""
    while _OPEN:
        transport = _OPEN.pop()
        transport.close()
        transport.join()
