"""Which law is better: by likelihood, and by rows held out."""
