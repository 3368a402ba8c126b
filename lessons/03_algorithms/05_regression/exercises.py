"""Exercises of the lesson on squared, absolute and Huber error."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _as_on_paper(c):
    """A number, also where it stands alone in a list; a wrong one to two decimals."""
    c = c[0] if np.shape(c) == (1,) else c
    return np.round(c, 2) if isinstance(c, float) and abs(c - 10.75) > 0.02 else c


_R = np.array([-30.0, -2.0, -0.6, -0.1, 0.0, 0.4, 3.0, 500.0])

EXERCISES = [
    Exercise(
        "compromise",
        "which rides are more than 1 away from the answer? Their residuals count as 1 or -1; the sum must be 0.",
        {
            "That is the mean, the answer of squared error: clip the far residuals.": 22.3,
            "At 10.5, the median, the clipped residuals add up to -0.5 and not to 0; is 9 a far ride?": 10.5,
            "At this c the ride of 12 is more than 1 away: its residual is clipped too.": 32.5 / 3,
            "Only the 70 is clipped there; 9 and 12 are more than 1 away from the answer too.": 10.625,
            "10.8 is rounded, or read off: solve for c, and give the exact number.": 10.8,
            "At 10.7 the clipped residuals add up to -0.1: the answer lies a little farther right.": 10.7,
            "At 10.9 the clipped residuals add up to 0.3: the answer lies a little farther left.": 10.9,
            "Two rides are near, so that is 2c: halve it.": "(10 + 10.5 + 1) / 2 -> 10 + 10.5 + 1",
            "That is the answer for delta = 5.": 11.6,
            "The ride of 70 is clipped, not left out: it still pulls, with 1.": 41.5 / 4,
            "One ride pulls down with 1 and two pull up with 1: they do not cancel.": "10 + 10.5 + 1 -> 10 + 10.5",
            "The clipped rides have the wrong sign: two lie above c, and pull it up.": "10.5 + 1 -> 10.5 - 1",
        },
        _as_on_paper,
    ),
    Exercise(
        "my_huber",
        "np.where chooses between the two pieces; np.clip gives the slope.",
        {
            "Near the target the half is missing.": "r**2 / 2 -> r**2",
            "Far away delta / 2 must be taken off: the pieces must meet.": "(np.abs(r) - delta / 2) -> np.abs(r)",
            "Far away only half of delta is taken off.": "delta / 2 -> delta",
            "Far away the factor delta in front is missing.": "delta * (np.abs -> (np.abs",
            "Negative residuals cost something too: far away the size of r counts.": "(np.abs(r) - -> (r -",
            "A large negative residual is far away as well: compare the size of r with delta.": (
                "near = np.abs(r) -> near = r"
            ),
            "The two pieces are exchanged.": "<= delta -> > delta",
            "The value is right. The slope is clipped on both sides, at -delta and at delta.": (
                "np.clip(r, -delta, delta) -> np.minimum(r, delta)"
            ),
            "The value is right. Far away the slope is delta or -delta, not 1 or -1.": (
                "np.clip(r, -delta, delta) -> np.where(near, r, np.sign(r))"
            ),
            "That is PyTorch's smooth_l1_loss: Huber's loss divided by delta.": (
                "return value, np.clip(r, -delta, delta) -> return value / delta, np.clip(r / delta, -1, 1)"
            ),
            "One value for each residual is wanted, not their mean.": "return value -> return value.mean()",
        },
        on((_R, 1.0), (_R, 0.25), (_R, 4.0), (np.array([0.7, -5.0]), 0.5)),
        returns=2,
    ),
    Exercise(
        "enough_to_carry",
        "replace values of np.arange(5.0) by 1e9, one after the other, and look at np.median.",
        {
            "That is enough for the mean. The median bears more.": "(n + 1) // 2 -> 1",
            "For an odd n that leaves the middle value where it was: one more is needed.": "n + 1 -> n",
            "For an even n that is one more than needed: np.median averages the two middle values.": (
                "(n + 1) // 2 -> n // 2 + 1"
            ),
            "That many the median bears. One more carries it away.": "n + 1 -> n - 1",
            "Not all are needed: half will do.": "(n + 1) // 2 -> n",
            "A number of values is whole: round up.": "(n + 1) // 2 -> n / 2",
        },
        on(*((n,) for n in (1, 2, 3, 5, 6, 100, 101))),
    ),
]
