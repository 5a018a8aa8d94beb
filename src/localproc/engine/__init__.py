"""The engine: one loop for all jobs of a home.

Owns what happens when: accepting, starting, following, dismissing, resuming and publishing. Must
not know any face.
"""
