"""Is this installation what the course was tested with? Called by the start page."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from .show import Table


def self_check() -> Table:
    """Every required package with the version found here and the range that is tested. It never raises."""
    rows = [["python", sys.version.split()[0], ">=3.11", "ok" if sys.version_info >= (3, 11) else "TOO OLD"]]
    for text in requires("lessons-lib") or []:
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            rows.append(_row(need))
    bad = [row[0] for row in rows if row[3] != "ok"]
    note = (
        f"Not as tested: {', '.join(bad)}. Delete the course's folder .venv and run `make lab`."
        if bad
        else "All is well."
    )
    return Table(["package", "found", "tested range", "verdict"], rows, note)


def _row(need: Requirement) -> list[str]:
    try:
        found = version(need.name)
    except PackageNotFoundError:
        return [need.name, "-", str(need.specifier), "MISSING"]
    return [need.name, found, str(need.specifier), "ok" if need.specifier.contains(found) else "OUT OF RANGE"]
