"""Compiled versions of what `peeling` does; imported only where numba (extra `fast`) is there.

What is unknown of a text is one number: the count of its unknown skills in the upper half, all of
them combined by exclusive or in the lower half, so that an edge costs one visit to memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["peel_many", "peel_one"]

_ONE = np.uint64(1 << 32)
_LOW = np.uint64((1 << 32) - 1)
_HALF = np.uint64(32)
_DENSE = 32
"""Rounds that add a larger part of the skills go through all in order: memory likes that."""


@njit(cache=True, nogil=True)
def peel_one(offsets: Any, texts: Any, n_texts: int, learned: Any) -> Any:
    """Mark what a 1-skill learner learns, and return how many skills each round adds."""
    n = len(learned)
    state = np.zeros(n_texts, dtype=np.uint64)
    rounds = [int(learned.sum())]
    for skill in range(n):
        if not learned[skill]:
            for edge in range(offsets[skill], offsets[skill + 1]):
                text = texts[edge]
                state[text] = (state[text] + _ONE) ^ np.uint64(skill)
    marked = np.zeros(n, dtype=np.uint8)
    while True:
        n_new = _mark(state, marked)
        if n_new * _DENSE < n:
            break
        rounds.append(n_new)
        for skill in range(n):
            if marked[skill]:
                marked[skill] = 0
                learned[skill] = True
                for edge in range(offsets[skill], offsets[skill + 1]):
                    text = texts[edge]
                    state[text] = (state[text] - _ONE) ^ np.uint64(skill)
    new = np.flatnonzero(marked).astype(np.int32)
    while len(new):
        rounds.append(len(new))
        ready = _take_out(offsets, texts, state, learned, new)
        new = _name(state, ready, marked)
    return rounds


@njit(cache=True, nogil=True)
def _mark(state: Any, marked: Any) -> Any:
    """Mark every skill that is the only unknown one of a text, and return how many there are."""
    n_new = 0
    for text in range(len(state)):
        if state[text] >> _HALF == 1:
            skill = state[text] & _LOW
            n_new += 1 - marked[skill]
            marked[skill] = 1
    return n_new


@njit(cache=True, nogil=True)
def _take_out(offsets: Any, texts: Any, state: Any, learned: Any, new: Any) -> Any:
    """Learn these skills, and return the texts that are left with one."""
    n_edges = 0
    for skill in new:
        learned[skill] = True
        n_edges += offsets[skill + 1] - offsets[skill]
    ready, n_ready = np.empty(n_edges, dtype=np.int32), 0
    for skill in new:
        for edge in range(offsets[skill], offsets[skill + 1]):
            text = texts[edge]
            state[text] = (state[text] - _ONE) ^ np.uint64(skill)
            if state[text] >> _HALF == 1:
                ready[n_ready] = text
                n_ready += 1
    return ready[:n_ready]


@njit(cache=True, nogil=True)
def _name(state: Any, ready: Any, marked: Any) -> Any:
    """Return the skills that these texts are left with, each once."""
    new, n_new = np.empty(len(ready), dtype=np.int32), 0
    for text in ready:
        skill = state[text] & _LOW
        if state[text] >> _HALF == 1 and not marked[skill]:
            marked[skill] = 1
            new[n_new] = skill
            n_new += 1
    return new[:n_new]


@njit(cache=True, nogil=True)
def peel_many(
    offsets: Any, texts: Any, text_offsets: Any, members: Any, depth: int, learned: Any
) -> Any:
    """Do the same for a D-skill learner, who needs to know all skills of a text."""
    n_texts = len(text_offsets) - 1
    count = np.zeros(n_texts, dtype=np.int32)
    for text in range(n_texts):
        for place in range(text_offsets[text], text_offsets[text + 1]):
            count[text] += not learned[members[place]]
    rounds = [int(learned.sum())]
    ready = np.flatnonzero((count > 0) & (count <= depth)).astype(np.int32)
    while True:
        new = _teach(text_offsets, members, learned, ready)
        if not len(new):
            return rounds
        rounds.append(len(new))
        ready = _lower(offsets, texts, count, depth, new)


@njit(cache=True, nogil=True)
def _teach(text_offsets: Any, members: Any, learned: Any, ready: Any) -> Any:
    """Learn every unknown skill of these texts, and return them."""
    n_members = 0
    for text in ready:
        n_members += text_offsets[text + 1] - text_offsets[text]
    new, n_new = np.empty(n_members, dtype=np.int32), 0
    for text in ready:
        for place in range(text_offsets[text], text_offsets[text + 1]):
            skill = members[place]
            if not learned[skill]:
                learned[skill] = True
                new[n_new] = skill
                n_new += 1
    return new[:n_new]


@njit(cache=True, nogil=True)
def _lower(offsets: Any, texts: Any, count: Any, depth: int, new: Any) -> Any:
    """Count these skills as known, and return the texts that have come down to D unknown ones."""
    n_edges = 0
    for skill in new:
        n_edges += offsets[skill + 1] - offsets[skill]
    ready, n_ready = np.empty(n_edges, dtype=np.int32), 0
    for skill in new:
        for edge in range(offsets[skill], offsets[skill + 1]):
            text = texts[edge]
            count[text] -= 1
            if count[text] == depth:
                ready[n_ready] = text
                n_ready += 1
    return ready[:n_ready]
