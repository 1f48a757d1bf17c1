"""Loaders: whatever a harness wrote, as models, samples and results."""

from __future__ import annotations

from emergekit.loaders.loading import load

__all__ = ["load"]
