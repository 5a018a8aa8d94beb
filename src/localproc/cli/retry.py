"""``localproc retry``: going on where a job has failed.

Owns what is said of the steps of the new job: taken over, or run again and why. Must not know how
that is decided.
"""

from typing import Any

import click
from click.core import ParameterSource

from localproc.cli import completion as complete
from localproc.cli.operands import gather_inputs, naming
from localproc.cli.printing import print_json, print_table
from localproc.cli.run import exit_code, telling_how_to_go_on, watch_patiently
from localproc.cli.shared_options import engine_options, json_option, request_options
from localproc.cli.show import final_document, show_end, step_state
from localproc.cli.signals import terminable
from localproc.cli.site import Site
from localproc.engine.handles import Job
from localproc.model import Step
from localproc.model.events import STAGE_IN, STAGE_OUT

_OWN = (STAGE_IN, STAGE_OUT)


@click.command()
@click.argument("job", shell_complete=complete.jobs)
@click.argument(
    "inputs", nargs=-1, metavar="[INPUTS.yml] [NAME=VALUE]...", shell_complete=complete.inputs
)
@click.option("--package", metavar="PACKAGE", help="What the process is now.")
@engine_options
@request_options
@json_option
@click.option("--quiet", is_flag=True, help="Show nothing while the job runs.")
@click.pass_obj
def retry(
    site: Site,
    job: str,
    inputs: tuple[str, ...],
    package: str | None,
    settings: dict[str, Any],
    request: dict[str, Any],
    as_json: bool,
    quiet: bool,
) -> int:
    """Go on where JOB, which has failed or was dismissed, has stopped, and wait for the end.

    A new job takes over every step whose definition and inputs are unchanged. Inputs that are given
    are changed, the others are as they were. The package is read again from where it was deployed
    from, or is PACKAGE.

    JOB may be "last" or "last:failed". What is not said by an option is as it was for JOB.
    """
    site.check()
    with terminable(), site.open(adopt=False, **settings) as engine, telling_how_to_go_on(engine):
        earlier = engine.find_job(job)
        changed = gather_inputs(earlier.process, inputs)
        for name in ("executor", "results"):
            if _is_given(name):
                request[name] = settings[name]
        with naming(package or ""):
            again = earlier.retry(package=package, **changed, **request)
        watch_patiently(again, quiet=quiet or as_json)
        if as_json:
            print_json(final_document(again))
        else:
            show_steps_again(again)
            show_end(again)
        return exit_code(again)


def _is_given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is ParameterSource.COMMANDLINE


def show_steps_again(job: Job) -> None:
    """Tell of each step whether it was taken over, or why it was run again."""
    print_table(["step", "status", "why"], [_row(one) for one in job.steps if one.key not in _OWN])


def _row(step: Step) -> tuple[str, str, str]:
    if step.reused_from:
        return step.name, step_state(step), f"unchanged since job {step.reused_from}"
    return step.name, step_state(step), step.because
