"""Exercises of the lesson, with the wrong answers that they recognise."""

from .engine import Exercise

LESSON = "03_algorithms/08_margins"

EXERCISES: list[Exercise] = []
