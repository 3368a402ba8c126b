"""Exercises of the lesson on tools."""

from lessons_lib.exercises import Exercise, on

FALLS = [0.1] * 5 + [0.01] * 5

EXERCISES = [
    Exercise(
        "half",
        "at eps = 3 the answer is 1: 1 / sqrt(1 + 3) is one half.",
        {
            "That is where epsilon is as large as the squared gradient; the step is then 0.71 of the rate.": "/ 3 ->",
            "That is the square of the gradient. Take its root.": "** 0.5 ->",
            "From g = sqrt(g² + eps) / 2 follows 4 g² = g² + eps: three g² are left.": "3 -> 4",
            "Epsilon in the numerator and 3 below it: the root is over both.": ("(eps / 3) ** 0.5 -> eps ** 0.5 / 3"),
            "With epsilon beside the root the answer is epsilon. Here it stands under it.": "(eps / 3) ** 0.5 -> eps",
        },
        on((1e-8,), (1e-7,), (3.0,), (0.12,)),
    ),
    Exercise(
        "further",
        "with one rate for all steps the answer is 0.",
        {
            "The sign is wrong: timm's way less PyTorch's.": "scaled_way - way -> way - scaled_way",
            "PyTorch's form takes the rate of the step at which it moves.": (
                "way += rate * collected -> way += rates[0] * collected"
            ),
            "timm's form collects gradients that are multiplied by the rate of their own step.": (
                "mu * scaled + rate * g -> mu * scaled + rates[0] * g"
            ),
            "Each step moves by what is collected: add it up over the steps.": (
                "scaled_way += scaled -> scaled_way = scaled"
            ),
            "What is collected fades by mu in each step, in timm's form too.": (
                "mu * scaled + rate * g -> scaled + rate * g"
            ),
            "What is collected fades by mu in each step, in PyTorch's form too.": "mu * collected + g -> collected + g",
            "timm's way has the rate in it already.": "scaled_way += scaled -> scaled_way += rate * scaled",
            "That is timm's way. Subtract PyTorch's.": "scaled_way - way -> scaled_way",
        },
        on((1.0, FALLS, 0.9), (0.5, [0.2, 0.1, 0.4], 0.5), (2.0, [0.01, 0.02, 0.03, 0.04], 0.8), (1.0, [0.3] * 4, 0.9)),
    ),
    Exercise(
        "which",
        "give each box one gradient of size 1, then one of size 0.0001.",
        {
            "PyTorch and timm are right. Of the other two, the larger epsilon makes the shorter step.": [2, 4, 1, 3],
            "PyTorch's first step at size 1 is 10, timm's is 1.": [3, 1, 4, 2],
            "timm's first step at size 1 is 1, those of optax and Keras are 3.2.": [4, 3, 1, 2],
            "Box B begins with 1, box D with 3.2.": [3, 2, 1, 4],
            "That is the order of the table. The boxes have another one.": [1, 2, 3, 4],
        },
    ),
]
