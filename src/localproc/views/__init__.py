"""Documents made of what has happened.

Owns the shapes of OGC API - Processes documents. Pure: records and events in, JSON out. Must not
know the store, the engine or any face; both the engine's handles and the faces give these very
documents.
"""
