"""For every test: one thread, no progress file, stored floats compared with a tolerance, the mutation score printed."""

import math
import os
import re

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ["LESSONS_PROGRESS"] = "off"  # a test run must not touch a learner's results

FLOAT = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?")  # integers stay exact


class Near(str):
    """Text that equals another one if only its floats differ, and those in the last digits shown."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        if str.__eq__(self, other) or not isinstance(other, str):
            return str.__eq__(self, other)
        a, b = FLOAT.findall(self), FLOAT.findall(other)
        return FLOAT.sub("#", self) == FLOAT.sub("#", other) and all(
            math.isclose(float(x), float(y), rel_tol=2e-3, abs_tol=1e-3) for x, y in zip(a, b, strict=True)
        )

    def __ne__(self, other):
        return not self == other


try:
    from nbval.plugin import IPyNbCell
except ImportError:  # a GPU machine that runs only the unit tests
    pass
else:
    plain = IPyNbCell.sanitize
    IPyNbCell.sanitize = lambda self, text: Near(plain(self, text)) if isinstance(text, str) else text


def pytest_terminal_summary(terminalreporter):
    """The mutation score of the exercises: how many known wrong answers were rejected with their own message."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
    scores = [value for r in reports for key, value in getattr(r, "user_properties", []) if key == "mutants"]
    if scores:
        rejected, known = map(sum, zip(*scores, strict=True))
        terminalreporter.write_line(f"mutation score of the exercises: {rejected} of {known} wrong answers rejected")
