"""Exercises of the lesson on how far a step may go."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 3)) * [1.0, 2.0, 0.5] + [1.0, 0.0, -1.0]
Y = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0])


def tried(answer):
    """Steps on a parabola, on a steep quartic, on a flat one, and from a guess that is far too large."""
    h = np.array([0.3, 5.0, 2.0])
    cases = [
        (lambda t: (h * t**2).sum() / 2, lambda t: h * t, np.array([1.0, -2.0, 0.5]), 0.3),
        (lambda t: (t**4).sum(), lambda t: 4 * t**3, np.array([2.0, -1.0]), 0.7),
        (lambda t: np.log(np.cosh(t)).sum(), lambda t: np.tanh(t), np.array([3.0, 0.2]), 0.11),
        (lambda t: (h * t**2).sum() / 2, lambda t: h * t, np.array([2.0, 0.4, -1.0]), 50.0),
        (lambda t: 3 * (t**2).sum(), lambda t: 6 * t, np.array([1.5]), 1.0),
    ]
    return [[np.asarray(part) for part in answer(*case)] for case in cases]


CLIMB = np.array([3.0, 4.0, 4.5, 6.0, 8.0, 9.0, 11.0, 10.5, 12.0, 14.0])
LATER = np.sqrt(CLIMB[1:]) * 4

EXERCISES = [
    Exercise(
        "safe_rate",
        "the largest curvature of one example is a quarter of its weight times x squared.",
        {
            "That is the rate at which most is promised. Steps are promised to go down up to twice that.": (
                "2 / L -> 1 / L"
            ),
            "The quarter is missing: p (1 - p) is at most 1/4.": "4 * len(x) -> len(x)",
            "The objective is the mean over N: divide by N.": "(4 * len(x)) -> 4",
            "The heavier label is 1, and there the curvature is larger.": "y == 1 -> y == 0",
            "The weights are left out.": "x.T * weights -> x.T",
            "The curvature is multiplied by the weight, not by its square.": "x.T * weights -> x.T * weights**2",
            "That is the smallest eigenvalue. The steepest direction sets the rate.": "[-1] -> [0]",
            "That is the sum of all eigenvalues, larger than the largest. The rate may be longer.": "[-1] -> .sum()",
            "The divisor is the number of examples, not the sum of their weights.": "len(x) -> weights.sum()",
        },
        on((X, Y, 3.0), (X, Y, 0.2), (X[:4], Y[:4], 10.0)),
    ),
    Exercise(
        "trusted_step",
        "the promise at the rate 1/L is a fall of |g|² / (2L).",
        {
            "That only asks that the value falls. The lemma promises more: |g|² / (2L).": " - g @ g / (2 * L) ->",
            "Half of that is lost to the curvature: the promise at 1/L is |g|² / (2L).": "(2 * L) -> L",
            "The promise has the squared length of the gradient, g @ g.": "g @ g / -> np.sqrt(g @ g) /",
            "L grows, so that the steps get shorter.": "L = 2 * L -> L = L / 2",
            "Double L.": "2 * L\n -> 10 * L\n",
            "Every try starts from the old place.": "new = theta - g / L -> theta = new = theta - g / L",
            "The sign is wrong: the step goes against the gradient.": "theta - g / L -> theta + g / L",
            "You step at the rate L. The rate is 1/L.": "theta - g / L -> theta - g * L",
            "The comparison is turned round: stop when the value is low enough.": "<= -> >",
            "Return the new theta first, then L.": "new, L -> L, new",
        },
        tried,
        returns=2,
    ),
    Exercise(
        "meets",
        "over step times rate, where do the four curves agree?",
        {
            "That is the step in the recorded run. The larger steps get there sooner.": "* lr / larger ->",
            "The other way round: the larger rate needs fewer steps.": "lr / larger -> larger / lr",
            "That is the edge of the recorded run. The other run has its own: 2 / larger.": "2 / larger -> 2 / lr",
            "The edge is 2 over the rate.": "2 / larger -> 1 / larger",
            "That is the first step below the edge.": ">= -> <",
            "You take the last step above the edge. Wanted is the first.": "there[0] -> there[-1]",
            "You count the steps above the edge. Wanted is the first of them.": "there[0] -> len(there)",
            "The recorded run may never get that sharp: then return np.inf.": "np.inf -> 0.0",
            "That is step times rate. Divide by the larger rate to get its step.": "lr / larger -> lr",
        },
        on((CLIMB, 0.1, 0.2), (CLIMB, 0.1, 0.31), (LATER, 0.05, 0.16), (LATER, 0.02, 0.1), (CLIMB, 0.1, 0.25)),
    ),
]
