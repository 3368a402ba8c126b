"""For every test: one thread, no progress file, stored floats compared with a tolerance, the mutation score printed."""

import math
import os
import re
import signal

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ["LESSONS_PROGRESS"] = "off"  # a test run must not touch a learner's results
# What runs under nohup or in a shell's background ignores these, and so would the programs that tests start and end.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

FLOAT = re.compile(r"[-+]?(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)")  # integers stay exact
PICTURE = re.compile(r'base64,[^"]+|data-frames="[^"]+"')  # other tests look at pictures; what they say is compared


def last_digit(number: str) -> float:
    """One unit of the last digit shown: 0.01 for 3.14, 1e-9 for 4.1e-08."""
    digits, _, exponent = number.lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))


def near(stored: str, found: str) -> bool:
    """Equal to 2 in 1000 or to two units of the stored number's last digit; a sign that flips is a difference."""
    a, b = float(stored), float(found)
    return a * b >= 0 and math.isclose(a, b, rel_tol=2e-3, abs_tol=2.001 * last_digit(stored))


class Near(str):
    """A stored text, which equals a found one if only the floats differ, and those in the last digits shown."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        if str.__eq__(self, other) or not isinstance(other, str):
            return str.__eq__(self, other)
        a, b = FLOAT.findall(self), FLOAT.findall(other)
        return FLOAT.sub("#", self) == FLOAT.sub("#", other) and all(map(near, a, b))

    def __ne__(self, other):
        return not self == other


try:
    from nbval.plugin import IPyNbCell

    from tools import _warm
except ImportError:  # a GPU machine that runs only the unit tests
    pass
else:
    _warm.install()
    plain = IPyNbCell.sanitize
    IPyNbCell.sanitize = lambda self, text: Near(PICTURE.sub("", plain(self, text))) if isinstance(text, str) else text


def pytest_terminal_summary(terminalreporter):
    """What the exercises notice: how many known mistakes are told, how many automatic changes of a solution refused;
    and how many lines of derivations something checked."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
    properties = [p for r in reports for p in getattr(r, "user_properties", [])]
    for key, said in {"named": "known mistakes told", "automatic": "automatic changes of a solution refused"}.items():
        if scores := [score for name, score in properties if name == key]:
            noticed, tried = map(sum, zip(*scores, strict=True))
            terminalreporter.write_line(f"exercises: {noticed} of {tried} {said}")
    if steps := [score for name, score in properties if name == "steps"]:
        checked, unchecked = map(sum, zip(*steps, strict=True))
        terminalreporter.write_line(f"lines of derivations: {checked} checked, {unchecked} unchecked")
