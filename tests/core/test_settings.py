"""Settings of the environment: what is not allowed is one short line that says what is."""

import pytest

from medgemma_dash import cli
from medgemma_dash.core.errors import SettingError
from medgemma_dash.core.settings import Settings, read_settings

DIGITS = "9" * 5000


def test_what_is_not_set_or_empty_has_its_default():
    assert read_settings({}) == Settings()
    assert read_settings({"MEDGEMMA_DASH_DEVICE": " "}) == Settings()
    chosen = {"MEDGEMMA_DASH_DEVICE": "cuda:1", "MEDGEMMA_DASH_GRAPH_MEGABYTES": "0"}
    assert read_settings(chosen) == Settings(device="cuda:1", graph_megabytes=0)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("GRAPH_MEGABYTES", DIGITS, "whole number from 0 to 9999999"),
        ("GRAPH_MEGABYTES", "-1", "whole number"),
        ("GRAPH_MEGABYTES", "٣", "whole number"),
        ("GRAPH_MEGABYTES", "2 GB", "whole number"),
        ("DEVICE", "gpu", "auto, cpu, mps, cuda, or cuda:N"),
        ("DEVICE", "cuda:" + DIGITS, "cuda:N"),
        ("DTYPE", "float16", "auto, float32 or bfloat16"),
    ],
)
def test_what_is_not_allowed_is_told_in_words(name, value, allowed, monkeypatch, capsys, tmp_path):
    with pytest.raises(SettingError, match=f"MEDGEMMA_DASH_{name} is .*allowed: .*{allowed}") as e:
        read_settings({f"MEDGEMMA_DASH_{name}": value})
    assert len(str(e.value)) < 200
    assert not set(str(e.value)) & set("|\\()?")
    monkeypatch.setenv(f"MEDGEMMA_DASH_{name}", value)
    assert cli.main(["benchmark", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: {e.value}\n"
