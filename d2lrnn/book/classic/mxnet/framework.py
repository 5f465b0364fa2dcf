"""The classes of Gluon from which the classes of every framework's module are derived."""

from d2lrnn.mxnet.framework import mxnet

Layer = Model = mxnet.gluon.nn.Block
