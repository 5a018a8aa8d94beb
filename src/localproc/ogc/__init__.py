"""What OGC API - Processes says of packages: descriptions, execute requests, deployments.

Owns the translation between these documents and CWL, both ways (Part 1 and Part 2). Must not know
HTTP, the engine or any disk.
"""
