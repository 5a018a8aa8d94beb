"""One job's decisions: facts in, events and effects out.

Owns what a job does next. Must not know the loop, threads, the store or any executor.
"""
