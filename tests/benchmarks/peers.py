"""What the same work costs in the libraries that people use now."""

from types import SimpleNamespace


def lm_eval_choices():
    """Return a multiple-choice task of lm-evaluation-harness: its scoring, without its files."""
    from lm_eval.api.task import ConfigurableTask

    class Choices(ConfigurableTask):
        def __init__(self):
            self.OUTPUT_TYPE = "multiple_choice"
            self.multiple_input = self.multiple_target = False
            self._metric_fn_list = dict.fromkeys(("acc", "acc_norm", "brier_score"))
            self._config = SimpleNamespace(process_results=None)

        def doc_to_choice(self, doc):
            return doc["choices"]

        def doc_to_target(self, doc):
            return doc["gold"]

    return Choices()
