"""Trainings in which everything is chosen."""
