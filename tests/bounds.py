"""The bounds that tests compare with beside agreement.bound, in one table, each with its reason.

All are for float64, whose unit of rounding is 1.1e-16. None is to be widened to make a test pass.
"""

from d2lrnn.measure import agreement

EXACT = 1e-15  # one operation: a few units of rounding
TIGHT = 1e-14  # one formula in two ways: some dozen operations
SAME = 1e-13  # the same sums in another order: some hundred terms
AGREED = agreement.bound("gradients", "float64", 0)  # two versions of one network
UPDATED = 1e-10  # a few updates, each of which starts from the rounding of the one before
TRAINED = agreement.bound("losses", "float64", 0)  # a hundred updates
