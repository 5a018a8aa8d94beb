"""What a tool needs of the machine.

Owns reading ResourceRequirement and ToolTimeLimit (CWL v1.2 CommandLineTool, sections 5.9 and
5.13), and the extensions of cwltool: CUDARequirement and MPIRequirement. Must not know who has
what.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from localproc.cwl.base.files import shown
from localproc.cwl.base.numbers import is_amount
from localproc.cwl.expr.expressions import Context, evaluate_field
from localproc.cwl.run.process import Tool
from localproc.errors import StepError
from localproc.model import Resources

CUDA: Final = "CUDARequirement"
MPI: Final = "MPIRequirement"
_ASKING: Final = frozenset({"ResourceRequirement", "ToolTimeLimit", CUDA, MPI})
_SIZES: Final = (("ram", 256), ("tmpdir", 1024), ("outdir", 1024))
_USUAL: Final = Resources()


def resources(tool: Tool, values: Mapping[str, Any]) -> Resources:
    """Evaluate what a tool asks for, with its inputs: minimum first, rounded up.

    Memory is limited to what the tool says it needs, and not at all if it says nothing. Raises
    ``StepError`` for what is no amount.
    """
    known = tool.requirements
    if _ASKING.isdisjoint(known.required) and _ASKING.isdisjoint(known.hinted):
        return _USUAL if tool.version != "v1.0" else Resources(ram=1024)
    return _Asked(tool, Context(shown(values))).resources()


def mpi_processes(tool: Tool, values: Mapping[str, Any]) -> int:
    """Return how many processes a tool asks for by itself; raises ``StepError`` for no number."""
    return _Asked(tool, Context(shown(values))).processes()


class _Asked:
    def __init__(self, tool: Tool, context: Context) -> None:
        self._tool = tool
        self._context = context

    def resources(self) -> Resources:
        spec = self._tool.requirements.get("ResourceRequirement") or {}
        default_ram = 1024 if self._tool.version == "v1.0" else 256
        sizes = {
            name: math.ceil(self._least(spec, name, default_ram if name == "ram" else otherwise))
            for name, otherwise in _SIZES
        }
        ram = (self._number(spec, "ramMin") or 0, self._number(spec, "ramMax") or 0)
        return Resources(
            cores=self._least(spec, "cores", 1),
            cores_max=self._number(spec, "coresMax") or 0,
            ram_max=math.ceil(max(ram)),
            time=self._time_limit(),
            gpus=self._devices(),
            cuda=str((self._tool.requirements.get(CUDA) or {}).get("cudaVersionMin") or ""),
            capabilities=self._capabilities(),
            processes=self.processes(),
            **sizes,
        )

    def _least(self, spec: Mapping[str, Any], name: str, otherwise: float) -> float:
        least, most = (self._number(spec, f"{name}{bound}") for bound in ("Min", "Max"))
        if least is not None and most is not None and most < least:
            said = f"{name}Max is {most:g}, which is less than {name}Min, {least:g}"
            raise StepError(f"{self._tool.id}: {said}")
        return next((one for one in (least, most) if one is not None), otherwise)

    def _time_limit(self) -> float:
        spec = self._tool.requirements.get("ToolTimeLimit")
        if spec is None:
            return 0
        limit = self._value(spec, "timelimit")
        if not is_amount(limit):
            raise self._wrong("timelimit", limit, "a number of seconds")
        return float(limit)

    def _devices(self) -> int:
        """Return how many GPUs it needs at least; one unless something else is said."""
        spec = self._tool.requirements.get(CUDA)
        if spec is None:
            return 0
        return self._count(spec, "cudaDeviceCountMin") or self._count(spec, "cudaDeviceCountMax", 1)

    def _capabilities(self) -> tuple[str, ...]:
        named = (self._tool.requirements.get(CUDA) or {}).get("cudaComputeCapability") or []
        return tuple(map(str, named if isinstance(named, list) else [named]))

    def processes(self) -> int:
        """Return those of MPI, one for a tool that does not ask."""
        spec = self._tool.requirements.get(MPI)
        if spec is None:
            return 1
        if (count := self._count(spec, "processes")) < 1:
            raise self._wrong("processes", self._value(spec, "processes"), "a number from 1")
        return count

    def _count(self, spec: Mapping[str, Any], field: str, otherwise: int = 0) -> int:
        value = self._number(spec, field)
        if value is not None and value != int(value):
            raise self._wrong(field, value, "a whole number")
        return otherwise if value is None else int(value)

    def _number(self, spec: Mapping[str, Any], field: str) -> float | None:
        value = self._value(spec, field)
        if value is None:
            return None
        if not is_amount(value):
            raise self._wrong(field, value, "a number")
        return float(value)

    def _value(self, spec: Mapping[str, Any], field: str) -> Any:
        return evaluate_field(spec.get(field), self._tool.dialect, self._context)

    def _wrong(self, field: str, value: Any, wanted: str) -> StepError:
        return StepError(f"{self._tool.id}: {field} is {value!r}, not {wanted}")
