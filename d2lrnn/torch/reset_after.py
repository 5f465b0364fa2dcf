"""A fast version of gru_reset_after in PyTorch, which can replace it; see fused.py.

The reset gate comes after the recurrent product, so that one product H W_h in each step is enough
for all gates. ``torch.gru``, which computes the same, is not used: on a CPU it is a loop whose
gradient adds up one product per step, and slower than this one.
"""

import torch

from d2lrnn.nets import forward
from d2lrnn.torch import products
from d2lrnn.torch.contexts import by_hand, without_autocast
from d2lrnn.torch.fused import (
    arrivals,
    check,
    one_minus_square,
    one_product,
    output_layer,
    plain_in_transforms,
    slopes,
    starting_with,
)
from d2lrnn.torch.products import input_product
from d2lrnn.torch.scratch import FORWARD
from d2lrnn.torch.tensors import concat


class Recurrence(torch.autograd.Function):
    """The update of gru_reset_after for every t, A = [A_z, A_r, A_h] = X W_x + b."""

    @staticmethod
    def forward(ctx, A, H, W_h, b_hh):
        """Return Hs (T, n, h) and the last H."""
        h, gates = H.shape[1], A.detach()
        H_tilde = gates[..., 2 * h :].clone(memory_format=torch.contiguous_format)
        ZR, (Z, R, U) = gates[..., : 2 * h], gates.split(h, dim=-1)
        U.copy_(b_hh)  # in the memory of A_h; the loop adds H W_hh
        Hs, plus = starting_with(H, len(A)), products.plus(W_h, gates)
        slices = zip(Hs, gates, ZR, Z, R, U, H_tilde, Hs[1:])
        for H, G_t, ZR_t, Z_t, R_t, U_t, H_tilde_t, H_new in slices:
            product = plus(G_t, H, out=G_t)
            if product is not G_t:  # oneDNN returns a new tensor
                G_t.copy_(product)
            ZR_t.sigmoid_()  # update gate and reset gate
            H_tilde_t.addcmul_(R_t, U_t).tanh_()  # candidate
            torch.lerp(H_tilde_t, H, Z_t, out=H_new)  # Z * H + (1 - Z) * H_tilde
        ctx.save_for_backward(gates, H_tilde, Hs, W_h)
        return Hs[1:], Hs[-1]

    @staticmethod
    @by_hand
    def backward(ctx, dHs, dH):
        """Return dA, the first dH, dW_h and db_hh."""
        gates, H_tilde, Hs, W_h = ctx.saved_tensors
        h, H = dH.shape[1], Hs[:-1]
        Z, R, U = gates.split(h, dim=-1)
        d_product = slopes(gates)  # for each step, [dA_z, dA_r, dU] / dH
        parts, of_h = d_product.split(h, dim=-1), one_minus_square(H_tilde).mul_(1 - Z)
        parts[0].mul_(H - H_tilde)
        parts[1].mul_(U).mul_(of_h)
        torch.mul(R, of_h, out=parts[2])
        plus, (last, earlier), totals = products.plus(W_h.T, dHs), arrivals(dHs, dH), [of_h[:0]]
        dH, by_gate = dH + last, d_product.unflatten(-1, (3, h))
        slices = zip(d_product.unbind(), by_gate.unbind(), Z.unbind())
        for (d_product_t, by_gate_t, Z_t), dH_before in zip(reversed([*slices]), earlier):
            totals.append(dH[None])
            by_gate_t *= dH[:, None]
            dH = plus(dH_before, d_product_t).addcmul_(dH, Z_t)
        of_h *= torch.cat(totals[::-1])
        dA = torch.cat([d_product[..., : 2 * h], of_h], dim=-1)
        return dA, dH, one_product(H, d_product), parts[2].sum((0, 1))


@forward.of_cell("gru_reset_after", takes_ids=True)
@plain_in_transforms(FORWARD["gru_reset_after"])
@without_autocast
def gru_reset_after_fused(inputs, state, params):
    """Compute what gru_reset_after computes, faster; inputs may be token ids (T, n)."""
    state = check("gru_reset_after", inputs, state, params)
    *weights, b_hh, W_hq, b_q = params
    W_x, W_h, b = map(concat, (weights[0::3], weights[1::3], weights[2::3]))
    Hs, H = Recurrence.apply(input_product(inputs, W_x, b), *state, W_h, b_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


FUSED = {"gru_reset_after": gru_reset_after_fused}
