"""Exercises of the lesson, with the wrong answers that they recognise."""

from .engine import Exercise

LESSON = "03_algorithms/07_probabilistic_regression"

EXERCISES: list[Exercise] = []
