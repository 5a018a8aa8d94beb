"""Errors that have many problems."""

from localproc.errors import InvalidInputs, Problem


def test_of_very_many_problems_the_first_are_written_out() -> None:
    error = InvalidInputs("wrong", [Problem("no int", f"a[{index}]") for index in range(1000)])
    lines = str(error).splitlines()
    assert (lines[1], lines[200], lines[201:]) == (
        "  a[0]: no int",
        "  a[199]: no int",
        ["  and 800 more"],
    )
    told = error.to_problem()["problems"]
    assert (len(told), told[-1]) == (201, {"message": "and 800 more"})
    assert len(error.problems) == 1000
    few = InvalidInputs("wrong", error.problems[:200])
    assert len(few.to_problem()["problems"]) == 200
