"""The same mistake gets the same words in every backend."""

import re

import numpy as np
import pytest

IDS = np.array([[0, 1, 2], [2, 1, 0]])  # (batch_size, num_steps), of a vocabulary of 5


def zeros(rnn, *shape):
    return rnn.from_numpy(np.zeros(shape, "float32"))


def cell(rnn, inputs=(3, 2, 5), states=((2, 4),)):
    return rnn.rnn(zeros(rnn, *inputs), tuple(zeros(rnn, *s) for s in states), rnn.get_params(5, 4))


MISTAKES = {
    "an id that is too high": (
        lambda rnn, net: net(np.array([[0, 5]]), net.begin_state(1)),
        "token id 5 is outside 0..4; use the Vocab that the model was made for",
    ),
    "a negative id": (
        lambda rnn, net: net(np.array([[0, -1]]), net.begin_state(1)),
        "token id -1 is outside 0..4; use the Vocab that the model was made for",
    ),
    "an id that would wrap round to 1 in 32 bits": (
        lambda rnn, net: rnn.one_hot(np.array([2**32 + 1]), 5),
        "token id 4294967297 is outside 0..4; use the Vocab that the model was made for",
    ),
    "ids that are no integers": (
        lambda rnn, net: net(rnn.from_numpy(np.array([[0.0, 1.0]], "float32")), net.begin_state(1)),
        "token ids have dtype float32; expected integers from 0 to 4; "
        "turn tokens into ids with vocab[tokens]",
    ),
    "a target that is too high": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS + 3, net.begin_state(2)),
        "token id 5 is outside 0..4; use the Vocab that the model was made for",
    ),
    "a state for another batch": (
        lambda rnn, net: net(IDS, net.begin_state(3)),
        "state is for batch_size 3, the minibatch has 2; call net.begin_state(2)",
    ),
    "a state for another batch in training": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS, net.begin_state(3)),
        "state is for batch_size 3, the minibatch has 2; call net.begin_state(2)",
    ),
    "a model's state of another width": (
        lambda rnn, net: net(IDS, rnn.init_rnn_state(2, 6)),
        "state has 6 hidden units, the parameters have 4; call net.begin_state(2)",
    ),
    "a state of another width": (
        lambda rnn, net: cell(rnn, states=((2, 6),)),
        "state has 6 hidden units, the parameters have 4; call net.begin_state(2)",
    ),
    "a state of another rank": (
        lambda rnn, net: cell(rnn, states=((4,),)),
        "state has shape (4,); expected axes (batch_size, num_hiddens)",
    ),
    "two states": (
        lambda rnn, net: cell(rnn, states=((2, 4), (2, 4))),
        "state is 2 tensors; expected a tuple of length 1; call net.begin_state(2)",
    ),
    "a state outside its tuple": (
        lambda rnn, net: net(IDS, net.begin_state(2)[0]),
        "state is no tuple; expected a tuple of length 1; call net.begin_state(2)",
    ),
    "no state in training": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS, None),
        "state is no tuple; expected a tuple of length 1; call net.begin_state(2)",
    ),
    "a state of lists": (
        lambda rnn, net: net(IDS, ([[0.0] * 4] * 2,)),
        "state holds a list; expected tensors; call net.begin_state(2)",
    ),
    "functions of two kinds": (
        lambda rnn, net: rnn.RNNModelScratch(5, 4, rnn.get_gru_params, rnn.init_gru_state, rnn.rnn),
        "there are 11 parameters; expected 5: W_xh, W_hh, b_h, W_hq, b_q; "
        "take get_params, init_state and forward_fn of one kind",
    ),
    "inputs of another rank": (
        lambda rnn, net: cell(rnn, inputs=(3, 5)),
        "inputs has shape (3, 5); expected axes (num_steps, batch_size, num_inputs)",
    ),
    "inputs of another width": (
        lambda rnn, net: cell(rnn, inputs=(3, 2, 7)),
        "inputs has 7 features per row, the parameters are for 5; "
        "make the parameters for that width, or the rows for these parameters",
    ),
    "ids of another rank": (
        lambda rnn, net: net(np.array([0, 1]), net.begin_state(1)),
        "X has shape (2,); expected axes (batch_size, num_steps)",
    ),
    "an mlp's inputs of another rank": (
        lambda rnn, net: rnn.mlp(zeros(rnn, 3), rnn.get_mlp_params(3, 4, 2)),
        "X has shape (3,); expected axes (batch_size, num_inputs)",
    ),
    "an mlp's inputs of another width": (
        lambda rnn, net: rnn.mlp(zeros(rnn, 2, 4), rnn.get_mlp_params(3, 4, 2)),
        "X has 4 features per row, the parameters are for 3; "
        "make the parameters for that width, or the rows for these parameters",
    ),
    "training on no rows": (
        lambda rnn, net: net.make_step(1.0)(IDS[:0], IDS[:0], net.begin_state(0)),
        "the minibatch is empty, of shape (0, 3); "
        "training needs at least one row and one time step",
    ),
    "training on no steps": (
        lambda rnn, net: net.make_step(1.0)(IDS[:, :0], IDS[:, :0], net.begin_state(2)),
        "the minibatch is empty, of shape (2, 0); "
        "training needs at least one row and one time step",
    ),
    "targets of another shape": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS[:, :2], net.begin_state(2)),
        "Y has shape (2, 2), X has (2, 3); expected a target for each input token",
    ),
    "a learning rate of 0": (
        lambda rnn, net: rnn.make_step(net, 0),
        "lr is 0; expected a finite number above 0",
    ),
    "a learning rate that is no number": (
        lambda rnn, net: rnn.make_step(net, float("nan")),
        "lr is nan; expected a finite number above 0",
    ),
    "a negative theta": (
        lambda rnn, net: rnn.make_step(net, 1.0, -1.0),
        "theta is -1.0; expected a finite number above 0",
    ),
    "clipping at 0": (
        lambda rnn, net: rnn.grad_clipping([zeros(rnn, 2)], 0.0),
        "theta is 0.0; expected a finite number above 0",
    ),
    "no such clipping": (
        lambda rnn, net: net.make_step(1.0, clip="hard"),
        "clip is 'hard'; expected one of 'norm', 'value'",
    ),
    "no hidden units": (
        lambda rnn, net: rnn.get_params(5, 0),
        "num_hiddens is 0; expected an integer, 1 or above",
    ),
    "half a hidden unit": (
        lambda rnn, net: rnn.get_mlp_params(5, 0.5, 2),
        "num_hiddens is 0.5; expected an integer, 1 or above",
    ),
    "a negative batch": (
        lambda rnn, net: net.begin_state(-1),
        "batch_size is -1; expected an integer, 0 or above",
    ),
    "half precision": (
        lambda rnn, net: rnn.get_params(5, 4, dtype="float16"),
        "dtype is 'float16'; expected 'float32' or 'float64'",
    ),
    "a corpus that is too short": (
        lambda rnn, net: list(rnn.seq_data_iter_random(range(30), 1, 35)),
        "the corpus has 30 tokens; batch_size 1 and num_steps 35 need 70 or more; "
        "take a longer text, a smaller batch_size or fewer num_steps",
    ),
    "an unknown kind of token": (
        lambda rnn, net: rnn.tokenize(["a"], "letter"),
        "token is 'letter'; expected one of 'word', 'char'",
    ),
    "a prefix without a token": (
        lambda rnn, net: rnn.predict_ch8("", 3, net, rnn.Vocab("abcd")),
        "prefix '' holds no token; give one or more to go on from",
    ),
    "a negative temperature": (
        lambda rnn, net: rnn.predict_ch8("a", 3, net, rnn.Vocab("abcd"), temperature=-1),
        "temperature is -1; expected a finite number, 0 or above",
    ),
    "a GPU of negative number": (
        lambda rnn, net: rnn.try_gpu(-1),
        "i is -1; expected an integer, 0 or above",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_its_words(rnn, make_net, mistake):
    make, words = MISTAKES[mistake]
    net = make_net()
    before = net.arrays()
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        make(rnn, net)
    for param, array in zip(net.arrays(), before):
        np.testing.assert_array_equal(param, array)
