"""Exercises of the lesson, with the wrong answers that they recognise."""

from .engine import Exercise

LESSON = "03_algorithms/17_clipping_and_accumulation"

EXERCISES: list[Exercise] = []
