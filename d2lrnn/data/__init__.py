"""From a text file to ids and minibatches, in NumPy."""
