"""Epochs: loops, histories, and runs that can be stopped and go on."""
