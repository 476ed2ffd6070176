"""Which process does which task next."""

from collections import deque
from collections.abc import Iterable

from jdgnn.experiment.sweep.plan import Task


class Queue:
    """Tasks that are still to be done, so that as few programs as possible are compiled.

    Whoever asks gets one of the structure it had last; else one of a structure that nobody has had; else it helps where
    most is left, and compiles what another has compiled before.

    Example:
      >>> from pathlib import Path
      >>> from jdgnn.experiment.sweep.grid import Variant
      >>> queue = Queue(Task(Variant(()), seed, Path(), structure) for seed in range(2) for structure in (7, 8))
      >>> [queue.next(last).structure for last in (None, 7, None, 8)]
      [7, 7, 8, 8]
      >>> queue.next(8) is None
      True
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._left: dict[int, deque[Task]] = {}
        self._touched: set[int] = set()
        for task in tasks:
            self._left.setdefault(task.structure, deque()).append(task)

    def __len__(self) -> int:
        return sum(map(len, self._left.values()))

    def next(self, last: int | None) -> Task | None:
        """The next task for a process.

        Args:
          last: the structure of the task it has done before, or None.

        Returns:
          The task; None if none is left.
        """
        if not self._left:
            return None
        untouched = [structure for structure in self._left if structure not in self._touched]
        if last in self._left:
            chosen = last
        elif untouched:
            chosen = untouched[0]
        else:
            chosen = max(self._left, key=lambda structure: len(self._left[structure]))
        assert chosen is not None
        self._touched.add(chosen)
        task = self._left[chosen].popleft()
        if not self._left[chosen]:
            del self._left[chosen]
        return task
