"""LightEval: results by task and shots, and details by sample."""
