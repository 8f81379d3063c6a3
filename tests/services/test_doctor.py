import shutil
from collections import namedtuple

import psutil
import pytest
import torch

from medgemma_dash.core.errors import ModelNotFoundError
from medgemma_dash.services import doctor


@pytest.fixture(scope="module")
def diagnoses():
    return {diagnosis.name: diagnosis for diagnosis in doctor.examine()}


def test_every_subject_is_examined(diagnoses):
    subjects = {
        "Memory", "Processor", "Demo model", "Settings",
        "MedGemma 4B", "MedGemma 27B", "Hub sign-in", "Disk", "DICOM decoders", "Chromium",
    }  # fmt: skip
    assert subjects <= diagnoses.keys()


def test_what_is_not_well_has_a_remedy(diagnoses):
    for diagnosis in diagnoses.values():
        assert diagnosis.status == "ok" or diagnosis.remedy, diagnosis
        assert diagnosis.status != "ok" or not diagnosis.remedy, diagnosis


def test_the_shipped_demo_model_loads(diagnoses):
    assert diagnoses["Demo model"].status == "ok"


def test_all_readable_dicom_syntaxes_have_a_decoder(diagnoses):
    assert diagnoses["DICOM decoders"].status == "ok"
    assert "JPEG-LS" in diagnoses["DICOM decoders"].text


def test_a_missing_demo_model_fails_with_a_remedy(monkeypatch):
    def missing(*arguments, **options):
        raise ModelNotFoundError("The model folder 'demo' holds no weights.")

    monkeypatch.setattr(doctor, "load_model", missing)
    found = doctor._demo_model()
    assert (found.status, "git checkout" in found.remedy) == ("fail", True)


def test_a_broken_folder_that_is_chosen_fails_with_a_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDGEMMA_DASH_MODEL", str(tmp_path))
    found = doctor._chosen_model()
    assert (found.status, "MEDGEMMA_DASH_MODEL" in found.remedy) == ("fail", True)
    assert "no config.json" in found.text


@pytest.mark.parametrize(
    ("gigabytes", "fits_4b", "fits_27b"),
    [
        (8, "does not fit", "does not fit"),
        (16, "fits in bfloat16", "does not fit"),
        (24, "fits in bfloat16 and float32", "does not fit"),
        (80, "fits in bfloat16 and float32", "fits in bfloat16"),
        (128, "fits in bfloat16 and float32", "fits in bfloat16 and float32"),
    ],
)
def test_what_fits_follows_from_free_memory(monkeypatch, gigabytes, fits_4b, fits_27b):
    monkeypatch.setattr(doctor, "choose_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(doctor, "free_memory_bytes", lambda device: int(gigabytes * 1e9))
    small, large = (doctor._checkpoint(*one) for one in doctor.CHECKPOINTS)
    assert small.text.endswith(fits_4b)
    assert large.text.endswith(fits_27b)


def test_a_hub_token_is_named_but_never_shown(monkeypatch):
    monkeypatch.setattr(doctor, "get_token", lambda: "hf_secret")
    found = doctor._hub()
    assert (found.status, found.text) == ("ok", "signed in")
    monkeypatch.setattr(doctor, "get_token", lambda: None)
    assert doctor._hub().status == "warn"


def test_little_disk_and_memory_are_warned_about(monkeypatch):
    usage = namedtuple("usage", "total used free")(10**11, 10**11, 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert doctor._disk().status == "warn"
    memory = namedtuple("memory", "total available")(8 * 10**9, 10**9)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    assert doctor._memory().status == "warn"


def test_a_setting_that_is_not_allowed_fails_and_names_the_variable(monkeypatch):
    monkeypatch.setenv("MEDGEMMA_DASH_DTYPE", "float8")
    found = doctor._chosen_model()
    assert found.status == "fail"
    assert "MEDGEMMA_DASH_DTYPE" in found.text


def test_a_wrong_setting_is_not_the_demo_models_fault(monkeypatch):
    monkeypatch.setenv("MEDGEMMA_DASH_DEVICE", "banana")
    found = doctor._demo_model()
    assert (found.status, found.text) == ("warn", "not tried")
    assert "git checkout" not in found.remedy


@pytest.mark.parametrize(
    ("capability", "asked", "status"),
    [
        ("AVX2", "auto", "ok"),
        ("AVX2", "bfloat16", "warn"),
        ("DEFAULT", "bfloat16", "warn"),
        ("AVX512", "bfloat16", "ok"),
    ],
)
def test_bfloat16_on_a_processor_without_it_is_warned_about(monkeypatch, capability, asked, status):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setenv("MEDGEMMA_DASH_DEVICE", "cpu")
    monkeypatch.setenv("MEDGEMMA_DASH_DTYPE", asked)
    slow = "bfloat16 is many times slower than float32" in doctor._processor().text
    assert slow == (capability != "AVX512")
    chosen = doctor._chosen_model()
    assert chosen.status == status
    assert ("MEDGEMMA_DASH_DTYPE=float32" in chosen.remedy) == (status == "warn")
