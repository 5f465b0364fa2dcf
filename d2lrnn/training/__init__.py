"""Training: the loops over epochs, their results, and runs that can be stopped and resumed."""
