"""The models of the first chapters: regression and classifiers (sections 3.4 to 4.5)."""

from __future__ import annotations

import sys
from typing import Any

from . import operations
from .basics import squared_loss
from .design import Module

d2l = sys.modules[__package__]


class LinearRegressionScratch(Module):
    """Linear regression from scratch (section 3.4)."""

    def __init__(self, num_inputs: int, lr: float, sigma: float = 0.01) -> None:
        """Draw the weights (num_inputs, 1) from N(0, sigma²); the bias is zero."""
        super().__init__()
        self.save_hyperparameters()
        self.w, self.b = operations.regression_parameters(num_inputs, sigma)

    def forward(self, X: Any) -> Any:
        """Return X w + b."""
        return d2l.matmul(X, self.w) + self.b

    def loss(self, y_hat: Any, y: Any) -> Any:
        """Return the mean of half the squared errors."""
        return d2l.reduce_mean(squared_loss(y_hat, y))

    def configure_optimizers(self) -> Any:
        """Return the optimizer."""
        return operations.gradient_descent([self.w, self.b], self.lr)


class LinearRegression(Module):
    """Linear regression with the framework's own layer (section 3.5)."""

    def __init__(self, lr: float) -> None:
        """Make the layer, with weights from N(0, 0.01²), in PyTorch with PyTorch's initial ones."""
        super().__init__()
        self.save_hyperparameters()
        self.net = operations.linear(1, 0.01)

    def loss(self, y_hat: Any, y: Any) -> Any:
        """Return the mean squared error, in MXNet half of it."""
        return operations.regression_loss(y_hat, y)

    def get_w_b(self) -> Any:
        """Return the weights and the bias."""
        return operations.weight_and_bias(self.net)


class Classifier(Module):
    """The base class of models that choose one of several classes (section 4.3)."""

    def validation_step(self, batch: Any) -> None:
        """Plot the loss and the accuracy of a validation minibatch (inputs..., targets)."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def accuracy(self, Y_hat: Any, Y: Any, averaged: bool = True) -> Any:
        """Return the share of rows whose largest output is at the target, or 1 or 0 for each."""
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        chosen = d2l.astype(d2l.argmax(rows, axis=1), Y.dtype)
        right = d2l.astype(chosen == d2l.reshape(Y, -1), d2l.float32)
        return d2l.reduce_mean(right) if averaged else right

    def loss(self, Y_hat: Any, Y: Any, averaged: bool = True) -> Any:
        """Return the mean cross-entropy of outputs (..., q) for targets (...), or each row's."""
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        return operations.cross_entropy(rows, d2l.reshape(Y, (-1,)), averaged)

    def layer_summary(self, X_shape: tuple[int, ...]) -> None:
        """Print the shapes of the outputs of the layers of ``net`` for an input of a shape."""
        (X,) = operations.random_inputs(X_shape)
        layers: Any = getattr(self.net, "layers", self.net)
        for layer in layers:
            X = layer(X)
            print(f"{type(layer).__name__} output shape:\t", X.shape)


class SoftmaxRegression(Classifier):
    """Softmax regression (section 4.5)."""

    def __init__(self, num_outputs: int, lr: float) -> None:
        """Make the layer, with one output for each class."""
        super().__init__()
        self.save_hyperparameters()
        self.net = operations.classification_layers(num_outputs)
