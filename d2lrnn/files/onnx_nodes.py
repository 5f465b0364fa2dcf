"""The equations of one time step of each cell, in the text form of ONNX operators."""

from __future__ import annotations

import re

# softplus(A) = max(A, 0) + log(1 + y) with y = exp(-|A|). ONNX does not have log1p. If w is 1 + y,
# rounded, log(1 + y) is y log(w) / (w - 1) to a few roundings; where w is 1, it is y.
SOFTPLUS = """
        positive_A = Max(A, number_0)
        size_A = Abs(A)
        minus_A = Neg(size_A)
        y_A = Exp(minus_A)
        w_A = Add(number_1, y_A)
        d_A = Sub(w_A, number_1)
        is_0_A = Equal(d_A, number_0)
        divisor_A = Where(is_0_A, number_1, d_A)
        log_A = Log(w_A)
        product_A = Mul(y_A, log_A)
        quotient_A = Div(product_A, divisor_A)
        log1p_A = Where(is_0_A, y_A, quotient_A)
        softplus_A = Add(positive_A, log1p_A)
"""


def softplus(name: str) -> str:
    """Return nodes that compute softplus_name from the tensor name."""
    return re.sub(r"\bA\b|(?<=_)A\b", name, SOFTPLUS)


# One time step of each cell, from the state and XW, which is X W_x + b for all gates, concatenated.
NODES = {
    "rnn": """
        HW = MatMul(H, W_h)
        A = Add(XW, HW)
        new_H = Tanh(A)
    """,
    "gru": """
        XW_zr, XW_h = Split<axis=1>(XW, two_gates_and_one)
        HW_zr = MatMul(H, W_zr)
        A_zr = Add(XW_zr, HW_zr)
        ZR = Sigmoid(A_zr)
        Z, R = Split<axis=1>(ZR)
        RH = Mul(R, H)
        RHW = MatMul(RH, W_h)
        A_h = Add(XW_h, RHW)
        H_tilde = Tanh(A_h)
        difference = Sub(H, H_tilde)
        kept = Mul(Z, difference)
        new_H = Add(H_tilde, kept)
    """,
    "gru_reset_after": """
        XW_zr, XW_h = Split<axis=1>(XW, two_gates_and_one)
        HW = MatMul(H, W_h)
        HW_zr, HW_h = Split<axis=1>(HW, two_gates_and_one)
        A_zr = Add(XW_zr, HW_zr)
        ZR = Sigmoid(A_zr)
        Z, R = Split<axis=1>(ZR)
        HW_b = Add(HW_h, b_hh)
        RHW = Mul(R, HW_b)
        A_h = Add(XW_h, RHW)
        H_tilde = Tanh(A_h)
        difference = Sub(H, H_tilde)
        kept = Mul(Z, difference)
        new_H = Add(H_tilde, kept)
    """,
    "lstm": """
        HW = MatMul(H, W_h)
        A = Add(XW, HW)
        A_i, A_f, A_o, A_c = Split<axis=1>(A)
        I = Sigmoid(A_i)
        F = Sigmoid(A_f)
        O = Sigmoid(A_o)
        C_tilde = Tanh(A_c)
        kept = Mul(F, C)
        added = Mul(I, C_tilde)
        new_C = Add(kept, added)
        tanh_C = Tanh(new_C)
        new_H = Mul(O, tanh_C)
    """,
    "mingru": """
        A_z, A_h = Split<axis=1>(XW)
        Z = Sigmoid(A_z)
        H_tilde = Tanh(A_h)
        difference = Sub(H_tilde, H)
        added = Mul(Z, difference)
        new_H = Add(H, added)
    """,
    "minlstm": f"""
        A_f, A_i, A_h = Split<axis=1>(XW)
        N_f = Neg(A_f)
        N_i = Neg(A_i)
        {softplus("N_f")}
        {softplus("N_i")}
        L = Sub(softplus_N_i, softplus_N_f)
        F = Sigmoid(L)
        H_tilde = Tanh(A_h)
        difference = Sub(H, H_tilde)
        kept = Mul(F, difference)
        new_H = Add(H_tilde, kept)
    """,
    "s4d": """
        U = Unsqueeze(XW, last_axis)
        decayed = Mul(A_bar, S)
        scaled_U = Mul(B_bar, U)
        new_S = Add(decayed, scaled_U)
        CS = Mul(C, new_S)
        SC = ReduceSum<keepdims=0>(CS, last_axis)
        DU = Mul(D, XW)
        new_Y = Add(SC, DU)
    """,
    "mamba": f"""
        mean = ReduceMean<axes=[-1]>(XW)
        centred = Sub(XW, mean)
        squares = Mul(centred, centred)
        variance = ReduceMean<axes=[-1]>(squares)
        positive = Add(variance, epsilon)
        deviation = Sqrt(positive)
        normalized = Div(centred, deviation)
        scaled = Mul(normalized, gain)
        M = Add(scaled, shift)
        MW = MatMul(M, W_ug)
        UG = Add(MW, b_ug)
        U_t, G = Split<axis=1>(UG)
        U_row = Unsqueeze(U_t, axis_1)
        window = Concat<axis=1>(U, U_row)
        new_U = Slice(window, first_index, end_index, axis_1)
        weighted = Mul(W_conv, window)
        convolved = ReduceSum<keepdims=0>(weighted, axis_1)
        P = Add(convolved, b_conv)
        P_gate = Sigmoid(P)
        V = Mul(P, P_gate)
        R = MatMul(V, W_r)
        RW = MatMul(R, W_dt)
        Q = Add(RW, b_dt)
        {softplus("Q")}
        dtV = Mul(softplus_Q, V)
        dt = Unsqueeze(softplus_Q, last_axis)
        dtA = Mul(dt, A)
        decay = Exp(dtA)
        decayed = Mul(decay, S)
        dtV_column = Unsqueeze(dtV, last_axis)
        B = MatMul(V, W_B)
        B_row = Unsqueeze(B, axis_1)
        added = Mul(dtV_column, B_row)
        new_S = Add(decayed, added)
        C = MatMul(V, W_C)
        C_row = Unsqueeze(C, axis_1)
        SC = Mul(new_S, C_row)
        read = ReduceSum<keepdims=0>(SC, last_axis)
        DV = Mul(D, V)
        Z = Add(read, DV)
        G_gate = Sigmoid(G)
        silu_G = Mul(G, G_gate)
        gated = Mul(Z, silu_G)
        output = MatMul(gated, W_o)
        biased = Add(output, b_o)
        new_Y = Add(XW, biased)
    """,
}
