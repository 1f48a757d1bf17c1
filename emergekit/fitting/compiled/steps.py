"""Compiled execution of programs; imported only where numba (extra `fast`) is installed.

One step works on all rows of a block, so that deciding what to do costs nothing beside doing it,
and the compiler uses the processor's vector instructions. One compilation serves every law.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from emergekit.fitting.compiled.programs import Code

__all__ = ["execute", "log_rows"]

_FILL = int(Code.FILL)
_ADD, _ADD_SCALAR = int(Code.ADD), int(Code.ADD_SCALAR)
_SUBTRACT, _FROM_SCALAR = int(Code.SUBTRACT), int(Code.FROM_SCALAR)
_MULTIPLY, _MULTIPLY_SCALAR = int(Code.MULTIPLY), int(Code.MULTIPLY_SCALAR)
_DIVIDE, _DIVIDE_SCALAR = int(Code.DIVIDE), int(Code.DIVIDE_SCALAR)
_POWER, _EXP, _LOG, _LOG1P, _EXPM1 = (
    int(code) for code in (Code.POWER, Code.EXP, Code.LOG, Code.LOG1P, Code.EXPM1)
)
_SQRT, _ABSOLUTE, _EXPIT, _LOGADDEXP = (
    int(code) for code in (Code.SQRT, Code.ABSOLUTE, Code.EXPIT, Code.LOGADDEXP)
)
_MAXIMUM, _MINIMUM = int(Code.MAXIMUM), int(Code.MINIMUM)
_LESS, _LESS_EQUAL, _WHERE = int(Code.LESS), int(Code.LESS_EQUAL), int(Code.WHERE)

_LN2, _LOG2_E = math.log(2.0), 1 / math.log(2.0)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""log 2 in two parts: multiples of the first are exact (Cody & Waite)."""
_T = tuple(1 / math.factorial(power) for power in range(14))
_LARGEST = 700.0
_ROOT_HALF = 0x3FE6A09E667F3BCD
"""The bits of sqrt(1/2)."""
_L = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
"""Coefficients of the logarithm in the C library of Sun Microsystems, 1993."""


# Loops with a call to the C library are not vectorised; what follows is, at a fifth of the time,
# and within two units of the last place. No reassociation: the digits depend on the order.
@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _exp(x: Any) -> Any:
    """Return the exponential of what is at most `_LARGEST` in size."""
    k = math.floor(x * _LOG2_E + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = _T[13] * r + _T[12]
    p = p * r + _T[11]
    p = p * r + _T[10]
    p = p * r + _T[9]
    p = p * r + _T[8]
    p = p * r + _T[7]
    p = p * r + _T[6]
    p = p * r + _T[5]
    p = p * r + _T[4]
    p = p * r + _T[3]
    p = (p * r + _T[2]) * r * r + r
    power = np.int64((np.int64(k) + 1023) << 52).view(np.float64)
    return p * power + power


@njit(cache=True, error_model="numpy")
def _usual(x: Any, width: Any) -> Any:
    usual = True
    for i in range(width):
        usual &= abs(x[i]) <= _LARGEST
    return usual


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _exp_rows(x: Any, y: Any, width: Any) -> None:
    if _usual(x, width):
        for i in range(width):
            y[i] = _exp(x[i])
    else:
        for i in range(width):
            y[i] = math.exp(x[i])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def log_rows(x: Any, y: Any, width: Any) -> None:
    """Write the logarithms of some entries of x to y."""
    usual = True
    for i in range(width):
        usual &= (x[i] >= 1e-300) & (x[i] <= 1e300)
    if not usual:
        for i in range(width):
            y[i] = math.log(x[i]) if x[i] > 0 else (-math.inf if x[i] == 0 else math.nan)
        return
    for i in range(width):
        bits = np.float64(x[i]).view(np.int64)
        k = (bits - _ROOT_HALF) >> 52
        f = np.int64(bits - (k << 52)).view(np.float64) - 1.0
        s = f / (2.0 + f)
        z = s * s
        p = z * _L[6] + _L[5]
        p = p * z + _L[4]
        p = p * z + _L[3]
        p = p * z + _L[2]
        p = p * z + _L[1]
        p = (p * z + _L[0]) * z
        half = 0.5 * f * f
        y[i] = k * _LN2_HIGH - ((half - (s * (half + p) + k * _LN2_LOW)) - f)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _expit_rows(x: Any, y: Any, width: Any) -> None:
    if _usual(x, width):
        for i in range(width):
            y[i] = 1.0 / (1.0 + _exp(-x[i]))
    else:
        for i in range(width):
            y[i] = 1.0 / (1.0 + math.exp(-x[i]))


@njit(cache=True, error_model="numpy")
def _logaddexp_rows(a: Any, b: Any, y: Any, width: Any) -> None:
    for i in range(width):
        same = a[i] == b[i]  # also where both are infinite
        apart = math.log1p(math.exp(-abs(a[i] - b[i])))
        y[i] = a[i] + _LN2 if same else max(a[i], b[i]) + apart


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def execute(steps: Any, first: int, last: int, rows: Any, scalars: Any, width: int) -> None:
    """Run some steps of a program on registers, shape (n_registers, block).

    Parameters
    ----------
    steps : array of int, shape (n_steps, 5)
        See `Program`.
    first, last : int
        Steps to run.
    rows : array, shape (n_registers, block)
        Row registers.
    scalars : array, shape (n_scalars, 1)
        What steps with SCALAR in their name read.
    width : int
        How many rows of the block are in use.
    """
    for step in range(first, last):
        code, y, a, b = steps[step, 0], steps[step, 1], steps[step, 2], steps[step, 3]
        if code == _MULTIPLY_SCALAR:
            s = scalars[b, 0]
            for i in range(width):
                rows[y, i] = rows[a, i] * s
        elif code == _MULTIPLY:
            for i in range(width):
                rows[y, i] = rows[a, i] * rows[b, i]
        elif code == _ADD:
            for i in range(width):
                rows[y, i] = rows[a, i] + rows[b, i]
        elif code == _ADD_SCALAR:
            s = scalars[b, 0]
            for i in range(width):
                rows[y, i] = rows[a, i] + s
        elif code == _SUBTRACT:
            for i in range(width):
                rows[y, i] = rows[a, i] - rows[b, i]
        elif code == _FROM_SCALAR:
            s = scalars[b, 0]
            for i in range(width):
                rows[y, i] = s - rows[a, i]
        elif code == _DIVIDE:
            for i in range(width):
                rows[y, i] = rows[a, i] / rows[b, i]
        elif code == _DIVIDE_SCALAR:
            s = scalars[b, 0]
            for i in range(width):
                rows[y, i] = s / rows[a, i]
        elif code == _FILL:
            s = scalars[a, 0]
            for i in range(width):
                rows[y, i] = s
        elif code == _POWER or code >= _LOGADDEXP:
            _with_second(code, steps[step, 4], rows[a], rows[b], rows[y], rows, width)
        else:
            _of_one(code, rows[a], rows[y], width)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _with_second(code: Any, third: Any, a: Any, b: Any, y: Any, rows: Any, width: Any) -> None:
    if code == _POWER:
        for i in range(width):
            y[i] = a[i] ** b[i]
    elif code == _LOGADDEXP:
        _logaddexp_rows(a, b, y, width)
    elif code == _MAXIMUM:
        for i in range(width):
            y[i] = a[i] if (a[i] >= b[i]) | (a[i] != a[i]) else b[i]
    elif code == _MINIMUM:
        for i in range(width):
            y[i] = a[i] if (a[i] <= b[i]) | (a[i] != a[i]) else b[i]
    elif code == _LESS:
        for i in range(width):
            y[i] = 1.0 if a[i] < b[i] else 0.0
    elif code == _LESS_EQUAL:
        for i in range(width):
            y[i] = 1.0 if a[i] <= b[i] else 0.0
    elif code == _WHERE:
        c = rows[third]
        for i in range(width):
            y[i] = b[i] if a[i] != 0.0 else c[i]


@njit(cache=True, error_model="numpy")
def _of_one(code: Any, a: Any, y: Any, width: Any) -> None:
    if code == _EXP:
        _exp_rows(a, y, width)
    elif code == _LOG:
        log_rows(a, y, width)
    elif code == _EXPIT:
        _expit_rows(a, y, width)
    elif code == _LOG1P:
        for i in range(width):
            y[i] = math.log1p(a[i])
    elif code == _EXPM1:
        for i in range(width):
            y[i] = math.expm1(a[i])
    elif code == _SQRT:
        for i in range(width):
            y[i] = math.sqrt(a[i])
    elif code == _ABSOLUTE:
        for i in range(width):
            y[i] = abs(a[i])
