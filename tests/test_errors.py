from emergekit.errors import FitError, FitWarning, LoadError, TableError, nearest, shown, unknown


def test_errors_are_what_a_caller_of_builtins_expects():
    assert issubclass(TableError, ValueError)
    assert issubclass(LoadError, TableError)
    assert issubclass(FitError, ValueError)
    assert issubclass(FitWarning, UserWarning)


def test_the_nearest_name_is_found_whatever_its_case():
    assert nearest("SCORE", ["model", "score"]) == "score"
    assert nearest("n_parms", ["n_params", "n_tokens"]) == "n_params"
    assert nearest("zebra", ["model", "score"]) is None


def test_an_unknown_name_comes_with_the_known_ones():
    assert unknown("metric", "bleu", ["acc"]) == "Unknown metric 'bleu'. Known: acc."


def test_long_text_is_cut_in_messages():
    assert len(shown("x" * 1000)) < 70
