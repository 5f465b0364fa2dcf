"""Fast versions of the cells of scratch.py in PyTorch, which can replace rnn, gru and lstm.

The inputs of all steps are multiplied in one product before the loop, and the hidden states of all
steps in one product after it; PyTorch differentiates both. The loop between them is a recurrence
A, H -> Hs whose backward pass is written by hand: the gradient of its weights is one product for
all steps, where PyTorch would add up one product per step. ``A`` is the argument of a sigmoid or
tanh; the gates are written into the memory of A, which is not needed otherwise.
sigmoid' = S (1 - S), tanh' = 1 - T².
"""

import functools

import torch
import torch.nn.functional as F

from d2lrnn import checks
from d2lrnn.nets import cells, forward
from d2lrnn.torch import products
from d2lrnn.torch.contexts import by_hand, is_transformed, without_autocast
from d2lrnn.torch.kernel import kernel_takes, lay_out, lstm_kernel
from d2lrnn.torch.products import input_product
from d2lrnn.torch.scratch import FORWARD
from d2lrnn.torch.tensors import concat, one_hot, state_tensors, to_numpy


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), ordered by time step.

    With F.linear, computing the gradient of W_hq takes a third less time than with X @ W.
    """
    return F.linear(Hs.reshape(-1, len(W_hq)), W_hq.T, b_q)


def check(cell, inputs, state, params):
    """Check the arguments of a cell and return the state as tensors.

    Ids on other devices than the CPU are not checked, because reading them would block Python.
    """
    cells.check_kind(inputs, params)
    if inputs.dtype.is_floating_point:
        cells.check(cell, inputs, state, params)
        return state_tensors(state, inputs)
    cells.check_ids(cell, inputs, state, params)
    if inputs.device.type == "cpu":
        checks.tokens(to_numpy(inputs), len(params[0]))
    return state_tensors(state, inputs)


def plain_in_transforms(plain):
    """Return a decorator that uses the plain forward function of a cell within torch.func.

    torch.func does not support the hand-written backward passes of the fused cells.
    """

    def decorate(fused):
        @functools.wraps(fused)
        def either(inputs, state, params):
            if not is_transformed():
                return fused(inputs, state, params)
            if not inputs.dtype.is_floating_point:
                settings = {"dtype": checks.dtype_of(params[0]), "device": inputs.device}
                inputs = one_hot(inputs, len(params[0]), **settings)
            return plain(inputs, state, params)

        return either

    return decorate


def one_product(lefts, rights):
    """Return the sum over all steps of left.T @ right, (T, n, k) and (T, n, m) as (k, m)."""
    return lefts.flatten(0, 1).T @ rights.flatten(0, 1)


def slopes(S):
    """Return S (1 - S), the slope of a sigmoid of value S."""
    return torch.addcmul(S, S, S, value=-1)


def one_minus_square(T):
    """Return 1 - T², the slope of a tanh of value T."""
    return torch.addcmul(T.new_ones(()), T, T, value=-1)


def turned(A):
    """Return A (T, n, m) as a contiguous tensor (T, m, n)."""
    return A.transpose(1, 2).contiguous()


def starting_with(first, num_steps):
    """Return a tensor (num_steps + 1, n, h) for the states, with the first one filled in."""
    states = first.new_empty(num_steps + 1, *first.shape)
    states[0] = first
    return states


def arrivals(dHs, dH):
    """Return the gradient of the last H from its output, and those of the others, last step first.

    The last element is 0: the first state does not have an output.
    """
    of_each = [torch.zeros_like(dH), *dHs.unbind()]
    return of_each[-1], reversed(of_each[:-1])


class RNNRecurrence(torch.autograd.Function):
    """H_t = tanh(A_t + H_{t-1} W_hh) for every t, A = X W_xh + b_h."""

    @staticmethod
    def forward(ctx, A, H, W_hh):
        """Return Hs (T, n, h) and the last H."""
        A, Hs, plus = A.detach(), starting_with(H, len(A)), products.plus(W_hh, A)
        for A_t, H, H_new in zip(A, Hs, Hs[1:]):
            torch.tanh(plus(A_t, H, out=A_t), out=H_new)
        ctx.save_for_backward(Hs, W_hh)
        return Hs[1:], Hs[-1]

    @staticmethod
    @by_hand
    def backward(ctx, dHs, dH):
        """Return dA, the first dH and dW_hh."""
        Hs, W_hh = ctx.saved_tensors
        dA, plus = one_minus_square(Hs[1:]), products.plus(W_hh.T, dHs)
        last, earlier = arrivals(dHs, dH)
        dH = dH + last
        for dA_t, dH_before in zip(reversed(dA.unbind()), earlier):
            dA_t *= dH
            dH = plus(dH_before, dA_t)  # from the output of the step before, and from this step
        return dA, dH, one_product(Hs[:-1], dA)


@forward.of_cell("rnn", takes_ids=True)
@plain_in_transforms(FORWARD["rnn"])
@without_autocast
def rnn_fused(inputs, state, params):
    """Compute what rnn computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    state = check("rnn", inputs, state, params)
    W_xh, W_hh, b_h, W_hq, b_q = params
    Hs, H = RNNRecurrence.apply(input_product(inputs, W_xh, b_h), *state, W_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


class GRURecurrence(torch.autograd.Function):
    """The update of a GRU for every t, A = [A_z, A_r, A_h] = X W_x + b."""

    @staticmethod
    def forward(ctx, A, H, W_hzr, W_hh):
        """Return Hs (T, n, h) and the last H."""
        h, gates = H.shape[1], A.detach()
        ZR, (Z, R, H_tilde) = gates[..., : 2 * h], gates.split(h, dim=-1)
        Hs, RH = starting_with(H, len(A)), torch.empty_like(H_tilde)
        plus_zr, plus_h = products.plus(W_hzr, ZR), products.plus(W_hh, RH)
        for H, ZR_t, Z_t, R_t, RH_t, H_tilde_t, H_new in zip(Hs, ZR, Z, R, RH, H_tilde, Hs[1:]):
            torch.sigmoid(plus_zr(ZR_t, H, out=ZR_t), out=ZR_t)  # update gate and reset gate
            torch.mul(R_t, H, out=RH_t)
            torch.tanh(plus_h(H_tilde_t, RH_t, out=H_tilde_t), out=H_tilde_t)  # candidate
            torch.lerp(H_tilde_t, H, Z_t, out=H_new)  # Z * H + (1 - Z) * H_tilde
        ctx.save_for_backward(gates, Hs, RH, W_hzr, W_hh)
        return Hs[1:], Hs[-1]

    @staticmethod
    @by_hand
    def backward(ctx, dHs, dH):
        """Return dA, the first dH, dW_hzr and dW_hh."""
        gates, Hs, RH, W_hzr, W_hh = ctx.saved_tensors
        h, H = dH.shape[1], Hs[:-1]
        Z, R, H_tilde = gates.split(h, dim=-1)
        dA = slopes(gates)  # multiplied by the gradient of each gate below and in the loop
        dA_zr, parts = dA[..., : 2 * h], dA.split(h, dim=-1)
        parts[0].mul_(H - H_tilde)
        parts[1].mul_(H)
        torch.mul(1 - Z, one_minus_square(H_tilde), out=parts[2])
        plus, times = products.plus(W_hzr.T, dHs), products.times(W_hh.T, dHs)
        (last, earlier), room = arrivals(dHs, dH), torch.empty_like(dH)
        dH, slices = dH + last, zip(*(part.unbind() for part in (Z, R, dA_zr, *parts)))
        for (Z_t, R_t, dA_zr_t, dA_z, dA_r, dA_h), dH_before in zip(reversed([*slices]), earlier):
            dA_h *= dH
            dRH = times(dA_h, out=room)
            dA_r *= dRH
            dA_z *= dH
            dH = plus(dH_before, dA_zr_t).addcmul_(dH, Z_t).addcmul_(dRH, R_t)
        return dA, dH, one_product(H, dA_zr), one_product(RH, parts[2])


@forward.of_cell("gru", takes_ids=True)
@plain_in_transforms(FORWARD["gru"])
@without_autocast
def gru_fused(inputs, state, params):
    """Compute what gru computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    state = check("gru", inputs, state, params)
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
    W_x, b = concat([W_xz, W_xr, W_xh]), concat([b_z, b_r, b_h])
    A, W_hzr = input_product(inputs, W_x, b), concat([W_hz, W_hr])
    Hs, H = GRURecurrence.apply(A, *state, W_hzr, W_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


class LSTMRecurrence(torch.autograd.Function):
    """The update of an LSTM for every t, A = [A_i, A_f, A_o, A_c] = X W_x + b.

    Here each sequence is a column, not a row: the product of all four gates is so wide that
    (4h, h) (h, n) is much faster than (n, h) (h, 4h), and the memory of each gate is contiguous.
    """

    @staticmethod
    def forward(ctx, A, H, C, W_h):
        """Return Hs (T, n, h), the last H and the last C."""
        h, gates, W_h_T = H.shape[1], turned(A.detach()), W_h.T.contiguous()
        IFO, (I, F, O, C_tilde) = gates[:, : 3 * h], gates.split(h, dim=1)  # each (T, h, n)
        Hs, Cs, Ts = starting_with(H.T, len(A)), starting_with(C.T, len(A)), torch.empty_like(I)
        slices = zip(Hs, Cs, gates, IFO, I, F, O, C_tilde, Ts, Hs[1:], Cs[1:])
        for H, C, A_t, IFO_t, I_t, F_t, O_t, C_tilde_t, T, H_new, C_new in slices:
            A_t.addmm_(W_h_T, H)
            IFO_t.sigmoid_()  # input, forget and output gate
            C_tilde_t.tanh_()  # candidate
            torch.mul(F_t, C, out=C_new).addcmul_(I_t, C_tilde_t)
            torch.mul(O_t, torch.tanh(C_new, out=T), out=H_new)
        Hs = turned(Hs)
        ctx.save_for_backward(gates, Hs, Cs, Ts, W_h)
        return Hs[1:], Hs[-1], Cs[-1].T.contiguous()

    @staticmethod
    @by_hand
    def backward(ctx, dHs, dH, dC):
        """Return dA, the first dH and dC, and dW_h."""
        gates, Hs, Cs, T, W_h = ctx.saved_tensors
        I, F, O, C_tilde = gates.split(dH.shape[1], dim=1)
        slope = O * one_minus_square(T)  # the derivative of H with respect to C
        dA = slopes(gates)  # multiplied by the gradient of each gate below and in the loop
        parts = dA.split(dH.shape[1], dim=1)
        for part, factor in zip(parts, (C_tilde, Cs[:-1], T)):
            part *= factor
        torch.mul(I, one_minus_square(C_tilde), out=parts[3])
        # Always copies, even if the transpose is already contiguous: the loop writes into them.
        dH, dC = (d.T.clone(memory_format=torch.contiguous_format) for d in (dH, dC))
        slices = zip(turned(dHs), slope, F, dA, *parts)
        for dH_t, slope_t, F_t, dA_t, dA_i, dA_f, dA_o, dA_c in reversed(list(slices)):
            dH += dH_t
            dC.addcmul_(dH, slope_t)
            dA_i *= dC
            dA_f *= dC
            dA_o *= dH
            dA_c *= dC
            dC *= F_t
            torch.mm(W_h, dA_t, out=dH)
        dA = turned(dA)
        return dA, dH.T.contiguous(), dC.T.contiguous(), one_product(Hs[:-1], dA)


@forward.of_cell("lstm", takes_ids=True, lay_out=lay_out)
@plain_in_transforms(FORWARD["lstm"])
@without_autocast
def lstm_fused(inputs, state, params):
    """Compute what lstm computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    state = check("lstm", inputs, state, params)
    *weights, W_hq, b_q = params
    if kernel_takes(inputs, state, len(weights[0])):
        Hs, state = lstm_kernel(inputs, state, weights)
        return output_layer(Hs, W_hq, b_q), state
    W_x, W_h, b = map(concat, cells.CELLS["lstm"].by_kind(weights))
    Hs, *state = LSTMRecurrence.apply(input_product(inputs, W_x, b), *state, W_h)
    return output_layer(Hs, W_hq, b_q), tuple(state)


FUSED = {"rnn": rnn_fused, "gru": gru_fused, "lstm": lstm_fused}
