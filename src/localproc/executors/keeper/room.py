"""What the keeper's tasks may use of the machine.

Owns booking cores, memory and slots. Must not know what tasks are, nor that they wait.
"""

from typing import Any


class Room:
    """So many cores, so much ram (MiB) and so many slots."""

    def __init__(self, cores: float, ram: int, slots: int) -> None:
        self.cores, self.ram, self.slots = cores, ram, slots
        self.free = [cores, float(ram), float(slots)]

    def has(self, task: dict[str, Any], *, alone: bool) -> bool:
        """Whether a task fits beside the others; one too big for the machine runs alone."""
        cores, ram, slots = self.free
        return slots >= 1 and (
            alone
            or (
                min(task["cores"], self.cores) <= cores + 1e-9 and min(task["ram"], self.ram) <= ram
            )
        )

    def take(self, task: dict[str, Any]) -> None:
        """Book what a task needs."""
        self._book(task, -1)

    def give_back(self, task: dict[str, Any]) -> None:
        """Have what a task needed free again."""
        self._book(task, 1)

    def _book(self, task: dict[str, Any], sign: int) -> None:
        self.free[0] += sign * min(task["cores"], self.cores)
        self.free[1] += sign * min(task["ram"], self.ram)
        self.free[2] += sign
