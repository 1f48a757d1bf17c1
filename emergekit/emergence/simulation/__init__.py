"""Worlds whose truth is known, and how often a verdict is right in them."""
