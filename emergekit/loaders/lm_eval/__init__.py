"""What lm-evaluation-harness wrote: results early and late, samples, and BigScience's variants."""
