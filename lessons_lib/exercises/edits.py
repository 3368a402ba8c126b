"""A mistake is the one solution with an edit: "what stands there -> what the learner wrote"."""

from __future__ import annotations

import re
from typing import Any


def edited(source: str, edits: str, names: dict[str, Any]) -> Any:
    """What `source` (a function, or a variable's assignment) defines after the edits, made one after the other.

    edits: "old -> new; old -> new", "old ->" to delete, "a <-> b" to exchange two names. Only whole words of the body
    change, whatever the spaces and line breaks between them.
    """
    head, body = _parted(source)
    for edit in filter(None, edits.split("; ")):
        changed = _changed(body, edit)
        if changed == body:
            raise ValueError(f"{edit!r} changes nothing in the solution; its body is:\n{body}")
        body = changed
    scope = dict(names)
    try:
        exec(compile(head + body, "<solution>", "exec"), scope)
    except SyntaxError as error:
        raise ValueError(f"{edits!r} makes a solution that is no Python: {error}") from None
    return scope[re.findall(r"\w+", head)[1 if head.startswith("def ") else 0]]


def _parted(source: str) -> tuple[str, str]:
    end = ":\n" if source.startswith("def ") else " = "
    head, _, body = source.partition(end)
    return head + end, body


def _changed(body: str, edit: str) -> str:
    old, arrow, new = re.fullmatch(r"(.*?)(?: (<->|->) (.*))?", f"{edit} ", re.S).groups()  # type: ignore[union-attr]
    if not arrow or not old.strip():
        raise ValueError(f"{edit!r} is no edit; allowed is 'old -> new' or 'name <-> name', with '; ' between edits")
    new = new.strip()
    if arrow == "<->":
        return re.sub(f"{_words(old)}|{_words(new)}", lambda m: new if m[0] == old else old, body)
    return re.sub(_words(old), lambda _: new, body)


def _words(text: str) -> str:
    """A pattern for these words; no part of a longer word fits."""
    words = text.split()
    start, end = (r"\b" if re.match(r"\w", side) else "" for side in (words[0][0], words[-1][-1]))
    return start + r"\s+".join(map(re.escape, words)) + end
