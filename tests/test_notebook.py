"""Figures for notebooks, from explanations alone."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from medgemma_dash import notebook
from medgemma_dash.core.errors import NoExplanationError, ResultFileError, TargetError
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.services.explaining.explain import explain
from tests.random_answers import case


@pytest.fixture(scope="module")
def explanations():
    found = case("six layers, heads 8 on 4")
    return [explain(found.model, found.answer, token=2, method=m) for m in ("chefer", "rollout")]


def on_films(explanations):
    """The same maps on films that have lungs, which a small model's pictures of noise do not."""
    film = load_radiograph(Image.fromarray(synthesize(FIRST_EVALUATION_SEED).pixels))
    return [replace(one, radiographs=(film,) * len(one.images)) for one in explanations]


def test_a_picture_without_lungs_has_no_zones_and_the_headline_says_so(explanations):
    with pytest.raises(ValueError, match="No lungs"):
        notebook.zones(explanations)
    said = notebook.headline(explanations[0])
    assert "of its relevance lies on the image" in said
    assert said.endswith("No lungs could be made out in this picture: no zone or side is named.")
    assert "No lungs" not in notebook.headline(on_films(explanations)[0])
    with pytest.raises(ValueError, match="no radiograph"):
        notebook.headline(replace(explanations[0], radiographs=()))


def test_every_figure_takes_explanations(explanations):
    first, second = explanations
    assert notebook.show(first).data[0].z.max() == pytest.approx(first.image.max())
    assert notebook.show(first).layout.images[0].source.startswith("data:image/jpeg")
    assert len(notebook.compare([first, second, first]).layout.images) == 3
    assert notebook.difference(first, second).data[0].z.sum() == pytest.approx(0, abs=1e-5)
    assert {bar.name for bar in notebook.zones(on_films(explanations)).data} == {
        "Chefer",
        "Attention rollout",
    }
    pairs = notebook.agreements(explanations, "pearson").data[0]
    matrix = pairs.z
    assert list(pairs.customdata[0][0]) == ["1.00", "the same map"]
    assert pairs.customdata[0][1][1].startswith(("alike", "no more alike", "less alike"))
    assert " to " in notebook.agreements(explanations, "pearson").data[2].text[1]
    assert matrix[0][0] == pytest.approx(1)
    assert matrix[0][1] == matrix[1][0]
    assert len(notebook.layers(first, [False] * len(first.layers)).data[0].y) == len(first.layers)


def heatmaps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def titles(figure):
    return " ".join(str(one.text) for one in figure.layout.annotations)


@pytest.fixture(scope="module")
def asked_of_two():
    return case("six layers, heads 8 on 4", images=2)


@pytest.fixture(scope="module")
def of_two(asked_of_two):
    return [
        explain(asked_of_two.model, asked_of_two.answer, token=2, method=method)
        for method in ("chefer", "rollout")
    ]


def test_of_several_images_every_one_is_shown_on_the_explanations_own_scale(of_two):
    first, second = of_two
    figure = notebook.show(first)
    assert [trace.z.max() for trace in heatmaps(figure)] == pytest.approx(
        [image.max() for image in first.images]
    )
    assert len({image.source for image in figure.layout.images}) == 2
    assert {trace.zmax for trace in heatmaps(figure)} == {float(first.cells.max())}
    assert "image 1 of 2" in titles(figure)
    assert "each explanation's peak" in titles(figure)
    both = notebook.compare(of_two)
    assert [trace.zmax for trace in heatmaps(both)] == pytest.approx(
        [first.cells.max()] * 2 + [second.cells.max()] * 2
    )
    assert "Chefer, image 2 of 2" in titles(both)
    assert both.layout.yaxis.domain == both.layout.yaxis2.domain > both.layout.yaxis3.domain
    shares = heatmaps(notebook.compare(of_two, scale="shared"))
    assert max(trace.z.max() for trace in shares[:2]) == pytest.approx(
        first.cells.max() / first.cells.sum()
    )


def test_of_several_images_maps_are_compared_as_one_and_zones_are_the_current_ones(of_two):
    first, second = of_two
    drawn = heatmaps(notebook.difference(first, second))
    share = [one.cells / one.cells.sum() for one in of_two]
    assert max(trace.zmax for trace in drawn) == pytest.approx(np.abs(share[0] - share[1]).max())
    assert {bar.name for bar in notebook.zones(on_films(of_two)).data} == {
        "Chefer, image 2 of 2",
        "Attention rollout, image 2 of 2",
    }
    expected = np.corrcoef(first.cells, second.cells)[0, 1]
    assert notebook.agreements(of_two, "pearson").data[0].z[0][1] == pytest.approx(expected)
    with pytest.raises(ValueError, match="no distance"):
        notebook.agreements(of_two, "peak_distance")


def test_layers_and_heads_show_the_image_that_is_asked_for(asked_of_two, of_two):
    answer = asked_of_two.answer
    view = notebook.layer_view(asked_of_two.model, answer, token=2)
    for number, image in enumerate(of_two[0].images):
        gathered = notebook.gathered_maps(view, answer, image=number)
        assert np.max(heatmaps(gathered)[-1].z) == pytest.approx(image.max(), rel=1e-4)
        (start, stop) = answer.images[number].span
        (picture,) = heatmaps(notebook.attention_map(answer, view.attention, 1, 3, image=number))
        assert np.max(picture.z) == pytest.approx(view.attention[1, 3, start:stop].max())
        heads = heatmaps(notebook.head_maps(view, answer, 4, image=number))
        strongest = int(np.argmax(view.weighted_shares[4]))
        expected = view.head_map(4, strongest, weighted=True, image=number)
        assert np.max(heads[0].z) == pytest.approx(expected.max())


def test_an_unknown_measure_lists_those_there_are(explanations):
    with pytest.raises(ValueError, match="pearson"):
        notebook.agreements(explanations, "taste")


def test_nothing_to_show_and_one_alone(explanations):
    for draw in (notebook.compare, notebook.zones, notebook.agreements):
        with pytest.raises(NoExplanationError, match="one or more of explain"):
            draw([])
        with pytest.raises(NoExplanationError, match="not ndarray"):
            draw([explanations[0].image])
    assert len(notebook.zones(on_films(explanations)[0]).data) == 1
    assert len(notebook.compare(explanations[0]).layout.images) == 1


def test_a_report_that_cannot_be_written_says_where_it_could(found, explanations, tmp_path):
    written = tmp_path / "report.html"
    page = notebook.report(found.model, found.answer, explanations[0], written)
    assert written.read_text("utf-8") == page
    for place in (tmp_path, written / "below.html", "/proc/nowhere/report.html"):
        with pytest.raises(ResultFileError, match=r"cannot be written to .*Give the path"):
            notebook.report(found.model, found.answer, explanations[0], place)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_picture_for_a_paper_is_as_wide_as_asked(found, explanations, tmp_path):
    notebook.picture(found.answer, explanations[0], tmp_path / "map.png", width_mm=85)
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.width == round(85 / 25.4 * 300)
        assert picture.text["Question"] == found.answer.prompt
    notebook.picture(found.answer, explanations[0], tmp_path / "map.svg", width_mm=85)
    assert 'width="85mm"' in (tmp_path / "map.svg").read_text("utf-8")
    with pytest.raises(ValueError, match="40 to 400 mm"):
        notebook.picture(found.answer, explanations[0], tmp_path / "wide.svg", width_mm=4000)
    with pytest.raises(ValueError, match=r"\.png or an \.svg"):
        notebook.picture(found.answer, explanations[0], tmp_path / "map.jpg")
    with pytest.raises(ResultFileError, match=r"cannot be written to .*Give the path"):
        notebook.picture(found.answer, explanations[0], "/proc/nowhere/map.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.png", "map.svg"]


def test_an_explanation_without_its_radiograph_says_what_to_do(explanations):
    with pytest.raises(ValueError, match=r"dataclasses\.replace"):
        notebook.show(replace(explanations[0], radiographs=()))


def test_a_difference_across_radiographs_says_that_the_second_has_another(explanations):
    first, second = explanations
    assert notebook.difference(first, second).layout.title.text is None
    elsewhere = replace(second, provenance=replace(second.provenance, image_sha256="0" * 64))
    figure = notebook.difference(first, elsewhere)
    assert "another radiograph" in figure.layout.title.text
    assert figure.layout.images[0].source == notebook.show(first).layout.images[0].source


def test_a_difference_of_maps_on_different_grids_is_refused(explanations):
    first, second = explanations
    with pytest.raises(ValueError, match="grids differ"):
        notebook.difference(first, replace(second, images=(second.image[:, :1],)))


@pytest.fixture(scope="module")
def found():
    return case("six layers, heads 8 on 4")


@pytest.fixture(scope="module")
def view(found):
    return notebook.layer_view(found.model, found.answer, token=2)


def test_heads_are_shown_as_a_matrix_and_as_maps_in_its_order(found, view):
    matrix = np.asarray(notebook.head_matrix(view).data[0].z)
    np.testing.assert_allclose(matrix, view.weighted_shares.T)
    plain = np.asarray(notebook.head_matrix(view, weighted=False).data[0].z)
    np.testing.assert_allclose(plain, view.image_shares.T)
    titles = [str(one.text) for one in notebook.head_maps(view, found.answer, 4).layout.annotations]
    strongest = int(np.argmax(view.weighted_shares[4]))
    assert titles[0].startswith(f"<b>layer 4, head {strongest}</b>")
    assert f"{view.weighted_shares[4, strongest]:.1%}" in titles[0]


def test_relevance_gathers_to_the_explanations_map(found, view, explanations):
    figure = notebook.gathered_maps(view, found.answer)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    last = float(np.max(maps[-1].z))
    assert last == pytest.approx(explanations[0].image.max(), rel=1e-4)
    assert len(figure.layout.images) == len(view.is_global)


def test_any_positions_attention_is_a_map_and_words(found, view):
    answer = found.answer
    predicting = answer.tokens[2].position - 1
    attention = notebook.attention_of(found.model, answer, predicting)
    np.testing.assert_allclose(attention, view.attention, rtol=1e-4, atol=1e-7)
    start, stop = answer.image_span
    picture = notebook.attention_map(answer, attention, 1, 3)
    assert np.max(picture.data[0].z) == pytest.approx(attention[1, 3, start:stop].max())
    words = notebook.attended_words(answer, attention, 1, most=5).data[0]
    assert list(words.x) == sorted(words.x, reverse=True)
    texts = [i for i, text in enumerate(answer.piece_texts) if text]
    assert words.x[0] == pytest.approx(attention[1].mean(0)[texts].max())


def test_positions_and_targets_outside_the_answer_are_refused(found):
    with pytest.raises(ValueError, match="allowed: 0 to"):
        notebook.attention_of(found.model, found.answer, len(found.answer.input_ids))
    with pytest.raises(TargetError):
        notebook.layer_view(found.model, found.answer, token=99)
    with pytest.raises(TargetError, match="give token as well"):
        notebook.layer_view(found.model, found.answer, span=(1, 3), against="No")
