"""Telling others what has happened to a job: waiting threads, plugins, subscribers.

Owns that nobody who is told keeps the loop waiting. Must not know why anything happened.
"""
