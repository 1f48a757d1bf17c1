"""Logs in the layout of lm-evaluation-harness 0.4, of any length."""

import json
import random

STAMP = "2026-01-02T03-04-05.000001"


def choice_line(number, rng, n_choices=4, padding=0):
    """Return a line of samples of a multiple-choice task."""
    pairs = [[f"{-rng.random() * 20:.6f}", "False"] for _ in range(n_choices)]
    asked = {
        f"gen_args_{k}": {"arg_0": f"Question {number}\nAnswer:", "arg_1": f" choice {k}"}
        for k in range(n_choices)
    }
    record = {
        "doc_id": number,
        "doc": {"question": f"Question {number} " + "x" * padding},
        "target": str(rng.randrange(n_choices)),
        "arguments": asked,
        "resps": [[pair] for pair in pairs],
        "filtered_resps": pairs,
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": f"{number:064x}",
        "acc": 0.0,
    }
    return json.dumps(record)


def write_folder(folder, models=("small", "large"), tasks=("law", "sums"), n_lines=20):
    """Write a folder of results and samples, a folder for each model, and return it."""
    for place, model in enumerate(models):
        inside = folder / model
        inside.mkdir(parents=True, exist_ok=True)
        results = {
            "results": {task: {"acc,none": 0.25, "acc_stderr,none": 0.1} for task in tasks},
            "group_subtasks": {},
            "configs": {task: {"task": task} for task in tasks},
            "versions": dict.fromkeys(tasks, 1),
            "n-shot": dict.fromkeys(tasks, 0),
            "config": {"model": "hf", "model_args": f"pretrained=org/{model}"}
            | {"model_num_parameters": 10 ** (7 + place)},
            "model_name": f"org/{model}",
        }
        (inside / f"results_{STAMP}.json").write_text(json.dumps(results))
        for number, task in enumerate(tasks):
            write_samples(inside / f"samples_{task}_{STAMP}.jsonl", n_lines, 10 * place + number)
    return folder


def write_samples(file, n_lines, seed=0, padding=0):
    """Write a file of samples."""
    rng = random.Random(seed)
    with file.open("w") as stream:
        for number in range(n_lines):
            stream.write(choice_line(number, rng, padding=padding) + "\n")
    return file
