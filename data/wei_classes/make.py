"""Write classes.csv of Wei et al. 2022: python make.py REFERENCE_FILES OUT."""

import sys
from pathlib import Path

import pandas as pd

reference, out = Path(sys.argv[1]), Path(sys.argv[2])
listed = pd.read_csv(reference / "published" / "wei2022_bigbench_task_classes.csv")
classes = listed.rename(
    columns={"appendix_section": "section", "preferred_metric_in_bigg_logs": "preferred_metric"}
)
classes["section"] = classes["section"].str.split().str[0]
classes[["task", "scaling_class", "first_emergent_model", "preferred_metric", "section"]].to_csv(
    out / "classes.csv", index=False
)
