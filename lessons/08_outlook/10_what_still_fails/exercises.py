"""Exercises of the lesson on what still fails."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RIGHT = np.array([[0.95, 0.1, 0.2, 0.0], [0.7, 0.9, 0.3, 0.1], [0.8, 0.4, 0.75, 0.2], [0.3, 0.6, 0.5, 0.99]])
BACK = np.array([[0.9, 0.2, 0.1], [0.5, 0.7, 0.3], [0.95, 0.4, 0.2]])

P = np.array([[0.7, 0.2, 0.1], [0.05, 0.15, 0.8], [0.3, 0.4, 0.3], [0.01, 0.98, 0.01]])
OLD, NEW = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.3, 0.6])
TWO = np.array([[0.5, 0.5], [0.9, 0.1]])

TABLE = np.array([[90, 10, 3], [6, 30, 5], [4, 10, 42]])
SHARES = np.array([0.2, 0.3, 0.5])
OTHER = np.array([[40.0, 6.0], [10.0, 14.0]])

EXERCISES = [
    Exercise(
        "forgotten",
        "the best of each task, minus its value in the last row.",
        {
            "The best accuracy of a task, not the one right after learning it: another row can be better.": (
                "right.max(0) -> np.diag(right)"
            ),
            "The best over all rows is a maximum over the first axis.": "right.max(0) -> right.max(1)",
            "The last task had no time to be forgotten: leave it out.": "[:-1].mean() -> .mean()",
            "The sign is wrong: best minus last.": "right.max(0) - right[-1] -> right[-1] - right.max(0)",
            "A mean over the tasks, not a sum.": ".mean() -> .sum()",
            "At the end means the last row, a row is what was learned last.": "right[-1] -> right[:, -1]",
            "That is what is forgotten of the worst task. Take the mean.": ".mean() -> .max()",
        },
        on((RIGHT,), (BACK,), (RIGHT[:2, :2],)),
    ),
    Exercise(
        "corrected",
        "what becomes of p = softmax(z) if log(new / old) is added to z?",
        {
            "New over old, not old over new.": "new / old -> old / new",
            "Each row must sum to 1 again.": "r / r.sum(1, keepdims=True) -> r",
            "The old shares are already in p: divide by them.": "p * new / old -> p * new",
            "Multiply by the new shares as well.": "p * new / old -> p / old",
            "To logits one adds a logarithm. Probabilities are multiplied.": "p * new / old -> p + np.log(new / old)",
            "The sum runs over the classes of one picture: axis 1.": "sum(1, -> sum(0,",
            "One sum per picture, not one for all.": "r.sum(1, keepdims=True) -> r.sum()",
        },
        on((P, OLD, NEW), (P, NEW, OLD), (TWO, np.array([0.5, 0.5]), np.array([0.9, 0.1]))),
    ),
    Exercise(
        "new_shares",
        "write down which share is called i, if the classes come with the shares s.",
        {
            "Counts depend on the old shares. Divide each column by its sum.": "table / table.sum(0) -> table",
            "A column is a class: divide by the sums of the columns, not of the rows.": (
                "table / table.sum(0) -> table / table.sum(1, keepdims=True)"
            ),
            "Divide each column by its own sum, not by the number of all pictures.": "table.sum(0) -> table.sum()",
            "That multiplies. You know what was called, and look for what made it.": (
                "np.linalg.solve(table / table.sum(0), called) -> table / table.sum(0) @ called"
            ),
            "The table is transposed: row i is what was called, column j the class.": (
                "table / table.sum(0) -> (table / table.sum(0)).T"
            ),
            "What was called is not what was there: the network confuses classes.": (
                "np.linalg.solve(table / table.sum(0), called) -> called"
            ),
        },
        on((TABLE, TABLE / TABLE.sum(0) @ SHARES), (OTHER, np.array([0.5, 0.5])), (OTHER, np.array([0.7, 0.3]))),
    ),
]
