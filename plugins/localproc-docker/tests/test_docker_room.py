"""Whose turn it is: tasks, cores and memory are shared in the order of coming."""

from localproc_docker.room import Room

from localproc.model import Resources, Task


def task(key: str, cores: float = 1, ram: int = 100) -> Task:
    return Task(key, ("a",), {}, "/o", "/t", None, "/out", "/err", Resources(cores=cores, ram=ram))


def started(room: Room) -> list[str]:
    return [one.key for one in room.next()]


def test_so_many_run_at_a_time_in_the_order_of_coming() -> None:
    room = Room(slots=2, cores=8, ram=1000)
    for key in "abc":
        room.join(task(key))
    assert started(room) == ["a", "b"]
    assert started(room) == []
    room.leave("a")
    assert started(room) == ["c"]


def test_cores_and_memory_count() -> None:
    room = Room(slots=8, cores=4, ram=1000)
    for one in (task("a", cores=3), task("b", cores=2), task("c", ram=950)):
        room.join(one)
    assert started(room) == ["a"]
    room.leave("a")
    assert started(room) == ["b"]
    room.leave("b")
    assert started(room) == ["c"]


def test_a_task_that_is_too_large_for_all_runs_by_itself() -> None:
    room = Room(slots=8, cores=2, ram=1000)
    room.join(task("a"))
    room.join(task("huge", cores=64))
    assert started(room) == ["a"]
    room.leave("a")
    assert started(room) == ["huge"]


def test_a_task_that_joins_twice_runs_once() -> None:
    room = Room(slots=8, cores=8, ram=1000)
    room.join(task("a"))
    assert started(room) == ["a"]
    room.join(task("a"))
    assert started(room) == []


def test_one_that_could_not_be_started_is_the_next() -> None:
    room = Room(slots=1, cores=8, ram=1000)
    for key in "ab":
        room.join(task(key))
    [first] = room.next()
    room.put_back(first)
    assert started(room) == ["a"]


def test_a_task_that_is_stopped_while_it_waits_never_runs() -> None:
    room = Room(slots=1, cores=8, ram=1000)
    for key in "abc":
        room.join(task(key))
    assert started(room) == ["a"]
    room.leave("b")
    room.leave("a")
    assert started(room) == ["c"]
