"""Exercises of the lesson."""

from .engine import Exercise

EXERCISES: list[Exercise] = []
