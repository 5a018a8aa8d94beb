"""A frozen class is what ``dataclasses`` makes of it, however it is made."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any

import pytest

from localproc.frozen import frozen


class _Plain:
    """Members of every form."""

    name: str
    size: int = 0
    seen: int = field(default=0, compare=False)
    secret: str = field(default="", repr=False)
    tags: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(init=False, default_factory=dict, compare=False)
    kind: str = field(init=False, default="plain")
    last: str = field(default="", kw_only=True)


@frozen
class Sample:
    name: str
    size: int = 0
    seen: int = field(default=0, compare=False)
    secret: str = field(default="", repr=False)
    tags: tuple[str, ...] = field(default_factory=tuple)
    notes: dict[str, int] = field(init=False, default_factory=dict, compare=False)
    kind: str = field(init=False, default="plain")
    last: str = field(default="", kw_only=True)


@frozen(kw_only=True)
class Base:
    at: int = 0

    def __post_init__(self) -> None:
        if self.at < 0:
            raise ValueError("it is before the beginning")


@frozen
class Derived(Base):
    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


def test_what_sets_the_members_is_compiled_for_the_first_instance() -> None:
    @frozen
    class Late:
        name: str
        size: int = 3

    @frozen
    class Later(Late):
        last: str = ""

    assert not inspect.isfunction(vars(Late)["__init__"])
    assert [Late("a"), Late("b", 1)] == [Late("a", 3), Late("b", size=1)]
    assert inspect.isfunction(vars(Late)["__init__"])
    assert not inspect.isfunction(vars(Later)["__init__"])
    assert list(inspect.signature(Later).parameters) == ["name", "size", "last"]


def test_it_is_frozen() -> None:
    sample = Sample("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'size'"):
        sample.size = 1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'size'"):
        del sample.size
    with pytest.raises(FrozenInstanceError):
        sample.other = 1  # type: ignore[attr-defined]
    assert sample.size == 0


def test_it_is_copied_changed_and_matched_as_any_other() -> None:
    sample = Sample("a", 2, tags=("b",), last="z")
    assert (
        copy.copy(sample) == copy.deepcopy(sample) == pickle.loads(pickle.dumps(sample)) == sample
    )
    assert asdict(replace(Derived("a"), at=3)) == {"at": 3, "name": "a"}
    match sample:
        case Sample("a", size):
            assert size == 2
        case _:
            pytest.fail("its members are matched by their places")


@pytest.mark.parametrize(
    "given", [{"name": "a"}, {"name": "a", "size": 3, "tags": ("x",), "last": "z", "secret": "s"}]
)
def test_it_is_what_dataclasses_make(given: dict[str, Any]) -> None:
    other: Any = dataclass(frozen=True)(type("Sample", (), dict(_members())))
    assert inspect.signature(Sample).parameters.keys() == inspect.signature(other).parameters.keys()
    assert [one.name for one in fields(Sample)] == [one.name for one in fields(other)]
    assert Sample.__match_args__ == other.__match_args__
    assert repr(Sample(**given)) == repr(other(**given))
    assert hash(Sample(**given)) == hash(other(**given))


def _members() -> dict[str, Any]:
    own = {name: value for name, value in _Plain.__dict__.items() if not name.startswith("__")}
    tags: Any = {"tags": field(default_factory=tuple)}
    return {**own, **tags, "__annotations__": _Plain.__annotations__, "__doc__": ""}


def test_equal_are_those_of_one_class_whose_compared_members_are() -> None:
    assert Sample("a", seen=1) == Sample("a", seen=2)
    assert hash(Sample("a", seen=1)) == hash(Sample("a", seen=2))
    assert Sample("a") != Sample("b")
    assert Derived("a") != Base()


def test_without_eq_each_equals_itself_alone() -> None:
    @frozen(eq=False)
    class Own:
        name: str

    one = Own("a")
    assert one == one
    assert one != Own("a")
    assert len({one, Own("a")}) == 2


def test_defaults_are_made_anew_and_what_is_not_given_is_set() -> None:
    assert Sample("a").notes is not Sample("a").notes
    assert (Sample("a").kind, Sample("a").notes) == ("plain", {})
    with pytest.raises(TypeError, match=r"Sample.*'kind'"):
        Sample("a", kind="b")  # type: ignore[call-arg]


def test_a_derived_class_has_the_members_of_both_and_what_it_defines_itself() -> None:
    assert repr(Derived("a", at=1)) == "<a>"
    assert Derived("a", at=1).at == 1
    with pytest.raises(ValueError, match="before the beginning"):
        Derived("a", at=-1)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'name'"):
        Derived()  # type: ignore[call-arg]
    assert not hasattr(Derived("a"), "__dict__"), "it has slots alone"


def test_one_of_many_members_is_frozen_too_and_so_is_one_of_a_plain_class_that_is_derived() -> None:
    class Plain(Sample):
        """Has no slots, so its instances may have more."""

    for cls in (Sample, Plain):
        one = cls("a", 2, tags=("b",))
        assert type(one) is cls
        assert (one.name, one.size, one.tags, one.kind) == ("a", 2, ("b",), "plain")
        with pytest.raises(FrozenInstanceError):
            one.size = 3  # type: ignore[misc]
    with pytest.raises(ZeroDivisionError):
        Broken("a", "b", "c", "d", "e")


def _fails() -> int:
    return 1 // 0


@frozen
class Broken:
    one: str
    two: str
    three: str
    four: str
    five: str
    six: int = field(default_factory=_fails)
