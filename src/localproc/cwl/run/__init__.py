"""Running a package: the plan of its steps, each step's task, and the outputs of that.

Owns the interpreter: the same facts give the same plan. Must not know clocks, threads,
processes, or any disk but the one it is given.
"""
