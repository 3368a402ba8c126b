"""A wrong answer that no named mistake explains: in which way it is wrong, and on which input first."""

import numpy as np
import pytest
import torch

from lessons_lib.exercises import Exercise, judge, on
from lessons_lib.exercises.short import short

INPUTS = on((np.array([1.0, 4.0, 2.5]), 0.5), (np.array([-3.0, 7.0]), 2.0), (np.array([9.0]), 3.0))


def one(body="k * np.exp(x) + x**2", trial=INPUTS, returns=1):
    return Exercise(
        "f", "think", {}, trial, returns, source=f"def f(x, k):\n    return {body}", names={"np": np, "torch": torch}
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda y, x, k: -y, "The sign is wrong. f(x=[1, 4, 2.5], k=0.5): wanted [2.36, 43.3, 12.3], came [-2.36, -"),
        (lambda y, x, k: np.where(x > 3, -y, y), "The sign is wrong in 3 of 6 places. f(x=[1, 4, 2.5], k=0.5)"),
        (lambda y, x, k: y / 2, "It is 0.5 times what is wanted. f(x="),
        (lambda y, x, k: 100 * y, "It is 100 times what is wanted. f(x="),
        (lambda y, x, k: y + 0.25, "It is too large by 0.25. f(x="),
        (lambda y, x, k: y - 3, "It is too small by 3. f(x="),
        (lambda y, x, k: y**2, "A square root is missing. f(x="),
        (lambda y, x, k: y**0.5, "There is a square root too many. f(x="),
        (lambda y, x, k: 1 / y, "It is upside down. f(x="),
        (lambda y, x, k: np.log(y), "There is a logarithm too many. f(x="),
        (lambda y, x, k: y if k > 0.5 else y * x, "It is right for 2 of 3 inputs. f(x=[1, 4, 2.5], k=0.5): wanted"),
        (lambda y, x, k: y if k < 3 else y * 1.7, "It is right for 2 of 3 inputs. f(x=[9], k=3): wanted [2.44e+04], c"),
        (lambda y, x, k: y * 1.01 if k == 3 else y, "f(x=[9], k=3): wanted [2.44e+04], came [2.46e+04]. Hint: think"),
        (lambda y, x, k: np.append(y[:-1], 0), "It is right in 3 of 6 places. f(x=[1, 4, 2.5], k"),
        (lambda y, x, k: y * (1 + 1e-5), "right ones. f(x=[1, 4, 2.5], k=0.5): wanted [2.35914091423, 43.2"),
        (
            lambda y, x, k: y * np.nan,
            "There is a NaN in the result. f(x=[1, 4, 2.5], k=0.5): wanted [2.36, 43.3, 12.3], c",
        ),
        (lambda y, x, k: y[:1], "The shape (3,) is wanted, (1,) came. f(x=[1, 4, 2.5], k=0.5): wanted [2.36, 43.3, 12"),
        (
            lambda y, x, k: np.sin(y),
            "The numbers are not the right ones. f(x=[1, 4, 2.5], k=0.5): wanted [2.36, 43.3, ",
        ),
        (lambda y, x, k: y / np.inf, "The numbers are not the right ones. f(x="),
        (lambda y, x, k: torch.tensor(-y, dtype=torch.float32), "The sign is wrong. f(x="),
    ],
)
def test_one_result(answer, says):
    exercise = one()
    verdict = judge(exercise, lambda x, k: answer(exercise.solution(x, k), x, k))
    assert verdict.state == "not right yet" and says in verdict.message


def test_an_error_is_told_with_the_call_that_raised_it():
    said = judge(one(), lambda x, k: x / k if k < 2 else 1 / 0).message
    assert said.startswith("Your code raised ZeroDivisionError: division by zero (your line: ")
    assert said.endswith("). It was called as f(x=[-3, 7], k=2). Hint: think")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda a, b, c: (c, a, b), "The results are the right ones, but not in the order asked for. f(x=[1"),
        (
            lambda a, b, c: (a, -b, c),
            "Wrong of the 3 results: number 2. The sign is wrong. f(x=[1, 4, 2.5], k=0.5): res",
        ),
        (
            lambda a, b, c: (a, 7 * b, c + c),
            "Wrong of the 3 results: number 2 and number 3. It is 7 times what is want",
        ),
        (
            lambda a, b, c: (-a, -b, -c),
            "The sign is wrong. f(x=[1, 4, 2.5], k=0.5): result 1: wanted [2, 5, 3.5], came [-2, -5, -3.5].",
        ),
    ],
)
def test_several_results(answer, says):
    exercise = one("x + 1, k + 1, k * x.sum()", returns=3)
    assert judge(exercise, lambda x, k: answer(*exercise.solution(x, k))).message.startswith(says)


def test_along_a_walk_the_first_step_that_goes_wrong_is_shown():
    def walk(answer):
        x = np.array([1.0, -2.0])
        for k in (1.0, 2.0, 3.0, 4.0):
            x = np.asarray(answer(x, k))
        return x

    step = one("x - 0.1 * k * x", walk)
    said = judge(step, lambda x, k: x - 0.1 * min(k, 2) * x).message
    assert said.startswith(
        "It is right for 2 of 4 inputs. f(x=[0.72, -1.44], k=3): wanted [0.504, -1.01], came [0.576,"
    )


def test_a_number_is_told_its_sign_but_not_the_answer():
    def told(wanted, came):
        return judge(Exercise("best", "think", {}, source=f"best = {wanted}"), came).message

    assert told(20, -20) == "The sign is wrong. Hint: think"
    assert told(0.4, 2.5) == "It is upside down. Hint: think"
    assert told(2, 0.5) == "The numbers are not the right ones. Hint: think"
    assert told(20, 40) == "The numbers are not the right ones. Hint: think"


def test_arguments_that_cannot_be_compared_make_nothing_raise():
    exercise = one("x(k)", on((np.sin, 2.0), (np.cos, 3.0)))
    assert "f(x=sin, k=2): wanted 0.909, came -0.416" in judge(exercise, lambda x, k: np.cos(k)).message
    broken = one("1 / x", on((0.5, 1)))
    assert judge(broken, lambda *x: 0 * x[0]).state == "not right yet"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(1 / 3), "0.333"),
        (np.int64(12345), "12345"),
        (np.arange(9) / 2, "[0, 0.5, 1, 1.5, ...]"),
        (torch.tensor([[1.0, 2.0]], requires_grad=True), "[[1, 2]]"),
        ({"a": 1}, "{'a': 1}"),
        ("word", "'word'"),
        (abs, "abs"),
        (None, "None"),
        (list(map(str, range(10**6, 10**6 + 9))), "['1000000', '1000001', '1000002', '10000..."),
    ],
)
def test_values_are_shown_short(value, text):
    assert short(value) == text
