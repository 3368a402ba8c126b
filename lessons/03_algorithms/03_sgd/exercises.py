"""Exercises of the lesson on stochastic gradient descent."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def one_parameter(answer):
    """Rates from far below the edge to just below it; two shares that are hit exactly."""

    def steps(*trial):
        try:
            return answer(*trial)
        except ValueError as error:  # of the logarithm of a negative factor, or of its NaN
            if "math domain" in str(error) or "NaN" in str(error) or "positive input" in str(error):
                return np.nan
            raise

    rng = np.random.default_rng(2)
    inputs = [rng.normal(0.5, size, n) for size, n in ((1.0, 5), (0.3, 8), (2.0, 3))]
    parts = ((0.02, 0.5), (0.3, 0.01), (0.6, 0.1), (0.95, 0.3), (0.85, 0.001))  # of the edge; share
    exact = [steps(lr, np.array([1.0]), share) for lr, share in ((0.25, 0.25), (0.75, 0.125))]
    return exact + [steps(part / (x**2).mean(), x, share) for x in inputs for part, share in parts]


def signed_distance(lr, x, share):
    distance, steps = 1.0, 0
    while distance > share:
        distance, steps = distance * (1 - lr * 2 * (x**2).mean()), steps + 1
    return steps


def epochs():
    """Rows of 7, 6 and 5 examples; the last batch is smaller in two of them."""
    rng = np.random.default_rng(0)
    for size, d, batch, lr in ((7, 3, 3, 0.1), (6, 2, 2, 0.2), (5, 2, 4, 0.05), (4, 3, 4, 0.3)):
        yield rng.normal(size=d), rng.normal(size=(size, d)), rng.normal(size=size), rng.permutation(size), batch, lr


def never_moving(theta, x, y, order, B, lr):
    slopes = [2 * x[b].T @ (x[b] @ theta - y[b]) / len(b) for b in np.split(order, range(B, len(order), B))]
    return theta - lr * np.sum(slopes, axis=0)


def parts(theta, x, y, order, number, lr):
    for b in np.array_split(order, number):
        theta = theta - lr * 2 * x[b].T @ (x[b] @ theta - y[b]) / len(b)
    return theta


def even_sizes(theta, x, y, order, B, lr):
    return parts(theta, x, y, order, -(-len(order) // B), lr)


def too_few(theta, x, y, order, B, lr):
    return parts(theta, x, y, order, len(order) // B, lr)


def steep_rows():
    rng = np.random.default_rng(1)
    return [(rng.normal(size=(n, 3)) * [0.1, 1.0, 8.0],) for n in (6, 20)]


EXERCISES = [
    Exercise(
        "steps_needed",
        "by which factor does each step multiply the distance?",
        {
            "Beyond 1 / h the factor is negative. The distance shrinks by its size.": ("abs( -> ("),
            "Rounded down, the last step is missing.": "np.ceil -> np.floor",
            "At most: where the share is hit exactly, no further step is needed.": (
                "np.ceil(np.log(share) / np.log(factor)) -> np.floor(np.log(share) / np.log(factor)) + 1"
            ),
            "A step is whole: round up.": "np.ceil(np.log(share) / np.log(factor)) -> np.log(share) / np.log(factor)",
            "That is for the loss, which is the square of the distance.": "np.log(share) -> np.log(share) / 2",
            "A step multiplies by 1 - lr * h; lr * h is the part that it takes away.": "1 - lr -> lr",
            "The square brings a factor 2: the curvature is twice the mean of x squared.": "lr * 2 -> lr",
            "The variance leaves the mean of x out; the curvature does not.": "(x**2).mean() -> x.var()",
            "The mean of the losses has the mean of the curvatures; you add them up.": ".mean() -> .sum()",
            "A negative factor throws it to the other side: below the share, and still far away. Compare its size.": (
                signed_distance
            ),
            "The curvature depends on x: it is 2 only where the mean of x**2 is 1.": "* (x**2).mean() ->",
            "That is the distance that is gone; share is what is left.": "np.log(share) -> np.log(1 - share)",
        },
        one_parameter,
    ),
    Exercise(
        "train_epoch",
        "a loop over batches; in it the error r, the mean gradient, the step.",
        {
            "That is the gradient of the sum: it multiplies the learning rate by the size of the batch.": (
                "/ len(batch) ->"
            ),
            "The last batch may be smaller: divide by its own size.": "/ len(batch) -> / B",
            "The factor 2 of the square is missing.": "lr * 2 * -> lr *",
            "The sign is wrong: that step goes uphill.": "theta - lr -> theta + lr",
            "The last, smaller batch is dropped: some examples are never used.": (
                "range(0, len(order), B) -> range(0, len(order) - B + 1, B)"
            ),
            "These are consecutive rows. Take the rows from the shuffled order.": (
                "order[i : i + B] -> np.arange(len(order))[i : i + B]"
            ),
            "The mean is over the batch, not over all examples.": "/ len(batch) -> / len(x)",
            "That is the first batch alone: return after the loop.": "theta = theta - lr -> return theta - lr",
            "np.array_split evens the sizes out. Here every batch but the last has B examples.": even_sizes,
            "Rounded down, these are too few batches, and some are larger than B.": too_few,
            "Every batch has all examples: that is gradient descent.": "order[i : i + B] -> order",
            "All gradients are taken at the first theta. Take each at the theta of now.": never_moving,
        },
        on(*epochs()),
    ),
    Exercise(
        "single_edge",
        "by which factor does a step on one example multiply that example's error?",
        {
            "That is the edge of all examples together. A single example can be far steeper.": lambda x: (
                2 / np.linalg.eigvalsh(2 * x.T @ x / len(x)).max()
            ),
            "The square brings a factor 2: the curvature along x is twice its squared length.": "1 / -> 2 /",
            "That rate takes the steepest example there in one step; the edge is twice as far.": "1 / -> 0.5 /",
            "The length of x enters squared.": "(x**2).sum(axis=1).max() -> np.sqrt((x**2).sum(axis=1).max())",
            "That is the edge of the sum over all examples; here each example stands alone.": lambda x: (
                1 / np.linalg.norm(x, 2) ** 2
            ),
            "The squared length is a sum over all d columns, not the largest of them.": ".sum(axis=1).max() -> .max()",
            "That is safe for the average example only.": ".max() -> .mean()",
            "That is the flattest example. The steepest one breaks first.": ".max() -> .min()",
            "That adds up over the examples, column by column. Add up along each row.": "axis=1 -> axis=0",
            "That adds up over all examples. Each example stands alone.": ".sum(axis=1).max() -> .sum()",
            "One number is wanted: the rate that is safe for every example.": ".max() ->",
        },
        on(*steep_rows()),
    ),
]
