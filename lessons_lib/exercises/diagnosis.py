"""How a wrong answer differs from the solution, in words that hold for any exercise, and on which input first."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from .attempt import Call, plain
from .difference import OTHER_NUMBERS, difference
from .pattern import pattern
from .short import short


class Pair(NamedTuple):
    """What a call of the answer gave, and what the solution gives for the same arguments."""

    call: Call
    came: Any
    wanted: Any


def of_value(came: Any, wanted: Any) -> str:
    """A sentence on a wrong number."""
    return _words([Pair(Call((), {}), came, wanted)], False)


def of_calls(calls: list[Call], solution: Callable, returns: int, single: bool) -> str:
    """What is wrong in these calls of an answer, and the first that shows it; empty where each is right."""
    pairs = [Pair(c, c.result, plain(solution(*copy.deepcopy(c.args), **c.kwargs))) for c in calls]
    if not any(difference(p.came, p.wanted, single) for p in pairs):
        return ""
    words, which = _words(pairs, single), ""
    if returns > 1:
        words, wrong = _of_several(pairs, returns, single)
        which = f"result {wrong + 1}: "
        pairs = [Pair(p.call, p.came[wrong], p.wanted[wrong]) for p in pairs]
    first = next(p for p in pairs if difference(p.came, p.wanted, single))
    digits = 3 if short(first.came) != short(first.wanted) else 12
    numbers = f"wanted {short(first.wanted, digits)}, came {short(first.came, digits)}"
    return f"{words} {shown(first.call, solution)}: {which}{numbers}."


def _of_several(pairs: list[Pair], returns: int, single: bool) -> tuple[str, int]:
    """Words on several results, and which is the first wrong one."""

    def right(i: int, j: int) -> bool:
        return not any(difference(pair.came[i], pair.wanted[j], single) for pair in pairs)

    wrong = [i for i in range(returns) if not right(i, i)]
    if all(any(right(i, j) for i in range(returns)) for j in wrong):
        return "The results are the right ones, but not in the order asked for.", wrong[0]
    if len(wrong) == returns:
        return _words(pairs, single), 0
    alone = [Pair(p.call, p.came[wrong[0]], p.wanted[wrong[0]]) for p in pairs]
    names = " and ".join(f"number {i + 1}" for i in wrong)
    return f"Wrong of the {returns} results: {names}. {_words(alone, single)}", wrong[0]


def _words(pairs: list[Pair], single: bool) -> str:
    told = next(filter(None, (difference(p.came, p.wanted, single) for p in pairs)))
    found = pattern([p.came for p in pairs], [p.wanted for p in pairs], single) if told == OTHER_NUMBERS else ""
    return f"{found[0].upper()}{found[1:]}." if found else told


def shown(call: Call, solution: Callable) -> str:
    """The call as it would be written, with its arguments rounded."""
    given = inspect.signature(solution).bind(*call.args, **call.kwargs).arguments
    return f"{solution.__name__}({', '.join(f'{name}={short(value)}' for name, value in given.items())})"
