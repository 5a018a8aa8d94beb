"""A home: its folders, which engines live in it, the settings that an engine has.

Owns what lies on disk beside the store. Must not know jobs.
"""
