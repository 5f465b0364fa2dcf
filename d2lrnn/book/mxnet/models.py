"""The models of the first chapters in MXNet: regression and classifiers."""

import sys

from d2lrnn.book.mxnet import classifiers
from d2lrnn.book.mxnet.classifiers import Classifier
from d2lrnn.book.mxnet.design import Module
from d2lrnn.book.mxnet.tensors import gluon, init, nn

d2l = sys.modules[__package__]


class LinearRegressionScratch(classifiers.LinearRegressionScratch):
    """Linear regression from scratch (section 3.4)."""

    def __init__(self, num_inputs, lr, sigma=0.01):
        """Draw the weights (num_inputs, 1) from N(0, sigma²)."""
        super().__init__()
        self.save_hyperparameters()
        self.w = d2l.normal(0, sigma, (num_inputs, 1))
        self.b = d2l.zeros(1)
        self.w.attach_grad()
        self.b.attach_grad()

    def configure_optimizers(self):
        """Return the optimizer."""
        return d2l.SGD([self.w, self.b], self.lr)


class LinearRegression(Module):
    """Linear regression with Gluon's own layer (section 3.5)."""

    def __init__(self, lr):
        """Make the layer, with weights drawn from N(0, 0.01²)."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Dense(1)
        self.net.initialize(init.Normal(sigma=0.01))

    def loss(self, y_hat, y):
        """Return the mean of half the squared errors."""
        return gluon.loss.L2Loss()(y_hat, y).mean()

    def configure_optimizers(self):
        """Return the optimizer."""
        return gluon.Trainer(self.collect_params(), "sgd", {"learning_rate": self.lr})

    def get_w_b(self):
        """Return the weights and the bias."""
        return self.net.weight.data(), self.net.bias.data()


class SoftmaxRegression(Classifier):
    """Softmax regression (section 4.5)."""

    def __init__(self, num_outputs, lr):
        """Make the layer, with one output for each class."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Dense(num_outputs)
        self.net.initialize()
