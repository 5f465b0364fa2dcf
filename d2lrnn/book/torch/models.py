"""The models of the first chapters in PyTorch: regression and classifiers."""

import sys

from torch import nn
from torch.nn import functional as F

from . import classifiers
from .classifiers import Classifier
from .design import Module

d2l = sys.modules[__package__]


class LinearRegressionScratch(classifiers.LinearRegressionScratch):
    """Linear regression from scratch (section 3.4)."""

    def __init__(self, num_inputs, lr, sigma=0.01):
        """Draw the weights (num_inputs, 1) from N(0, sigma²)."""
        super().__init__()
        self.save_hyperparameters()
        self.w = d2l.normal(0, sigma, (num_inputs, 1), requires_grad=True)
        self.b = d2l.zeros(1, requires_grad=True)

    def configure_optimizers(self):
        """Return the optimizer."""
        return d2l.SGD([self.w, self.b], self.lr)


class LinearRegression(Module):
    """Linear regression with PyTorch's own layer (section 3.5)."""

    def __init__(self, lr):
        """Make the layer; PyTorch itself draws its first values, at the first input."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)

    def loss(self, y_hat, y):
        """Return the mean squared error."""
        return F.mse_loss(y_hat, y)

    def get_w_b(self):
        """Return the weights and the bias."""
        return self.net.weight.data, self.net.bias.data


class SoftmaxRegression(Classifier):
    """Softmax regression (section 4.5)."""

    def __init__(self, num_outputs, lr):
        """Make the layer, with one output for each class."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))
