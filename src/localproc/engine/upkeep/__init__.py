"""Keeping a home in order: what takes how much room, and removing what nobody needs any more.

Must not know how jobs are run.
"""
