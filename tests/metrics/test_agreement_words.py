"""What is said of several pairs of maps: only of judged ones, with the number each failed at."""

from medgemma_dash.metrics.agreement_controls import JudgedAgreement, Verdict
from medgemma_dash.metrics.agreement_square import telling_decimals
from medgemma_dash.metrics.agreement_words import agreement_summary, verdicts


def judged(value: float, verdict: Verdict) -> JudgedAgreement:
    return JudgedAgreement(value, 0.4, 0.6, 0.7, 0.75, verdict)


def test_only_pairs_beyond_their_controls_are_called_alike() -> None:
    pairs = {
        (0, 1): judged(0.1, "alike"),
        (0, 2): judged(0.3, "no more alike than an even map"),
        (1, 2): judged(float("nan"), "not comparable"),
    }
    assert verdicts(["A", "B", "C"], pairs, "spearman") == (
        "By Spearman, alike: A and B (0.10, displaced 0.40 to 0.60). No nearer to each other than "
        "one of them is to an even map: A and C (0.30, with an even map 0.75, displaced 0.40 to "
        "0.60)."
    )
    unlike = {
        **pairs,
        (0, 1): judged(0.5, "no more alike than a random map"),
        (1, 2): judged(0.65, "hardly more alike than a random map"),
    }
    assert verdicts(["A", "B", "C"], unlike, "cosine") == (
        "By Cosine, none of 3 pairs is clearly more alike than controls are. No nearer to each "
        "other than one of them is to an even map: A and C (0.30, with an even map 0.75, displaced "
        "0.40 to 0.60). "
        "2 of 3 pairs are not clearly nearer than displaced maps are."
    )


def test_one_pair_gives_its_verdict_and_the_number_that_it_failed_at() -> None:
    one = {(0, 1): judged(0.5, "no more alike than a random map")}
    assert verdicts(["A", "B"], one, "cosine") == (
        "By Cosine, A and B are no more alike than a random map (0.50, displaced 0.40 to 0.60)."
    )
    one = {(0, 1): judged(0.65, "no more alike than a map in the centre")}
    assert verdicts(["A", "B"], one, "cosine") == (
        "By Cosine, A and B are no more alike than a map in the centre (0.65, with the centre "
        "0.70, displaced 0.40 to 0.60)."
    )


def test_controls_and_what_is_not_defined_are_told_apart() -> None:
    control = judged(0.9, "a control, not judged")
    none = JudgedAgreement(*[float("nan")] * 5, "not comparable")
    assert "know nothing" in verdicts(["A", "B"], {(0, 1): control}, "pearson")
    assert "not defined" in verdicts(["A", "B"], {(0, 1): none}, "pearson")
    both = {(0, 1): judged(0.9, "alike"), (0, 2): control, (1, 2): control}
    assert verdicts(["A", "B", "C"], both, "pearson") == (
        "By Pearson, A and B are alike (0.90, displaced 0.40 to 0.60). Pairs with a control are "
        "shown, not judged."
    )


def test_one_sentence_says_whether_maps_agree_and_which_is_like_none() -> None:
    apart = judged(0.5, "no more alike than a random map")
    near, nearer = judged(0.2, "alike"), judged(0.1, "alike")
    titles = ["A", "B", "C"]
    assert agreement_summary(titles, {(0, 1): nearer, (0, 2): apart, (1, 2): apart}, "cosine") == (
        "The maps agree in part: by Cosine, 1 of 3 pairs are alike beyond controls, most clearly A "
        "and B (0.10, displaced 0.40 to 0.60); C is like none."
    )
    assert agreement_summary(titles, {(0, 1): near, (0, 2): nearer, (1, 2): near}, "cosine") == (
        "The maps agree: by Cosine, all 3 pairs are alike, most clearly A and C (0.10, displaced "
        "0.40 to 0.60)."
    )
    none = dict.fromkeys([(0, 1), (0, 2), (1, 2)], apart)
    assert agreement_summary(titles, none, "cosine").startswith("No two of these maps agree: ")
    control = judged(0.1, "a control, not judged")
    assert agreement_summary(titles[:2], {(0, 1): control}, "cosine") == ""


def test_decimals_tell_numbers_apart_and_not_the_rounding_of_their_sums() -> None:
    assert telling_decimals(0.0370, (0.0380, 0.0452)) == 3
    assert telling_decimals(0.26952, (0.26952 - 1e-16, 0.26952 + 1e-16)) == 2
