"""Servers of OGC API - Processes elsewhere.

Owns deploying to them, running there, and comparing what comes back. Must not know the command
line, nor more of a server than the standard and RFC 9457 say; what localproc itself adds is used
where it is there.
"""

from localproc.remote.server import Server

__all__ = ["Server"]
