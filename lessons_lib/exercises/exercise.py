"""What an exercise is: a hint, a trial, and the mistakes that people make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .edits import edited


def on(*trials: tuple) -> Callable[[Any], Any]:
    """A trial that calls the answer with the arguments of each of these."""
    return lambda answer: [answer(*trial) for trial in trials]


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise; it stands in a lesson's `exercises.py`.

    name:     what the learner defines: a function, or a variable
    hint:     what to try first
    mistakes: {what is wrong: the edits of the solution that make this mistake, or an answer that makes it}
    trial:    what is computed from an answer: (lists of) arrays. A plain value is compared as it is.
    returns:  how many results one call must give

    The room fills in the rest:
    lesson:   its folder
    source:   the solution, as it stands in the lesson
    names:    what the solution can use: the names of `exercises.py`
    """

    name: str
    hint: str
    mistakes: dict[str, Any]
    trial: Callable[[Any], Any] = lambda answer: answer
    returns: int = 1
    lesson: str = ""
    source: str = ""
    names: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def solution(self) -> Any:
        return edited(self.source, "", self.names)

    def wrong(self, mistake: str) -> Any:
        """The answer that makes one of the mistakes. An edit that does not fit the solution is an error."""
        made = self.mistakes[mistake]
        if not isinstance(made, str):
            return made
        try:
            return edited(self.source, made, self.names)
        except ValueError as error:
            raise ValueError(f"{self.lesson}, exercise {self.name}, mistake {mistake!r}: {error}") from None
