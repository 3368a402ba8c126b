"""Exercises of the lesson on the article's claims."""

from lessons_lib.exercises import Exercise, on

EXERCISES = [
    Exercise(
        "runs_needed",
        "with two runs the probability is one half, with three one quarter.",
        {
            "All lost is agreement, too: two ways, so the probability is 2 times (1/2)^n.": (
                "2.0 ** (1 - n) -> 2.0 ** -n"
            ),
            "At most alpha: a probability of exactly alpha is enough.": "> alpha -> >= alpha",
            "That is one run too few: with it the probability is still too large.": "return n -> return n - 1",
            "That is one run too many.": "return n -> return n + 1",
            "The probability halves with each run.": "2.0 ** (1 - n) -> 2.0 / n",
        },
        on((0.05,), (0.25,), (0.01,), (1.0,), (0.05 / 30,), (0.5,)),
    ),
    Exercise(
        "judged",
        "first ask for one that holds and one that fails.",
        {
            "One that holds and one that fails make it conditional, even with an open one beside them.": (
                'if holds and fails: -> if holds and fails and "open" not in cases:'
            ),
            "With an open case, and none that contradicts another, the verdict is open.": (
                'if "open" in cases: -> if "open" in cases and not holds:'
            ),
            "Confirmed is 3 and refuted is 1.": "return 3 if holds else 1 -> return 1 if holds else 3",
            "Conditional is 2.": "return 2 -> return 0",
            "Open is 0.": "return 0 -> return 2",
        },
        on(
            (["holds", "holds"],),
            (["fails"],),
            (["holds", "fails"],),
            (["holds", "open", "fails"],),
            (["open", "holds"],),
            (["fails", "open"],),
            (["open"],),
            (["fails", "fails", "holds", "holds"],),
        ),
    ),
    Exercise(
        "complete",
        "call best_rate with factor=1 and factor=100, and so on for each option.",
        {
            "Noise makes the best rate smaller.": [1, 2],
            "A start that is ten times as far away wants a larger rate.": [1, 3],
            "Noise and the distance of the start both change it.": [2, 3],
            "A factor on the loss drops out of Adam's step.": [2],
            "Call best_rate(size=10): the farther the start, the larger the best rate.": [3],
            "One of them can complete it.": [],
        },
    ),
]
