"""The commands by name.

Owns which there are, where each is, and what it is for in one line. Must not import any of them.
"""

from typing import Final

#: Every command, the module that has it, and what it is for, in the order of a day's work.
COMMANDS: Final = {
    "run": ("run", "Run a package or a deployed process, and wait for it."),
    "plan": ("looking_ahead", "Tell what a job would do, without running it."),
    "deploy": ("processes", "Deploy a package as a process."),
    "undeploy": ("processes", "Undeploy a process; its jobs stay."),
    "processes": ("processes", "List the deployed processes."),
    "describe": ("processes", "Describe a package's or a process's inputs and outputs."),
    "inputs": ("processes", "Write an inputs file of a package to fill in."),
    "package": ("processes", "Print the package of a process, byte for byte."),
    "validate": ("processes", "Check a package and print every problem."),
    "init": ("init", "Make a small package that works, to begin with."),
    "pack": ("authoring", "Write a package as one document that can be sent."),
    "graph": ("processes", "Draw a package's steps."),
    "execute": ("execute", "Start a job of a deployed process and print its id."),
    "jobs": ("jobs", "List jobs."),
    "status": ("jobs", "Show a job and its steps."),
    "logs": ("jobs", "Show the log of a step."),
    "shell": ("shell", "Look into the folder of a step, as the step saw it."),
    "wait": ("waiting", "Wait until jobs have ended."),
    "results": ("jobs", "Print the results of a job."),
    "report": ("report", "Write a job as one HTML page to keep."),
    "compare": ("compare", "Run a job at a server too, and compare the results."),
    "retry": ("retry", "Go on where a job has failed, in a new one."),
    "dismiss": ("dismiss", "Stop a job and all that it has started."),
    "resume": ("execute", "Go on with the jobs that nobody runs."),
    "prune": ("upkeep", "Forget jobs that have ended, and make room."),
    "rm": ("upkeep", "Forget single jobs."),
    "du": ("upkeep", "Tell what the home takes on the disk."),
    "schedule": ("schedules", "Run processes at certain times."),
    "subscription": ("subscriptions", "Run processes, or tell people, when something happens."),
    "serve": ("serve", "Serve OGC API - Processes on this machine."),
    "executions": ("executions", "List jobs as executions with their phases."),
    "images": ("images", "List the images of a package; pull, load and save them."),
    "cwl": ("cwl", "Run a CWL document the way cwltool does."),
    "token": ("tokens", "Make, list and remove tokens for clients."),
    "backup": ("backup", "Copy the home while it is in use."),
    "restore": ("backup", "Make the home out of a backup."),
    "mirror": ("mirror", "Keep inputs for where there is no network."),
    "completion": ("shell_scripts", "Print what a shell needs to complete words."),
    "plugins": ("doctor", "List plugins, executors and storages."),
    "doctor": ("doctor", "See whether this machine is fit for the work."),
}
