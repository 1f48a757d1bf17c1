"""Whether models of all sizes lie on one curve over loss."""
