"""Grad-CAM on the demo model beside transformers' own pass from the pixels, seen through hooks."""

import numpy as np
import torch
from PIL import Image

from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import relevancy_tensor
from tests.random_answers import processed


def test_every_words_map_equals_what_hooks_see_in_a_plain_pass(demo_model):
    radiograph = load_radiograph(Image.fromarray(synthesize(FIRST_EVALUATION_SEED).pixels))
    answer = ask(demo_model, radiograph, "Is there evidence of pleural effusion?")
    found = relevancy_tensor(demo_model, answer, method="gradcam")
    start, stop = answer.image_span
    hf_model = demo_model.hf_model
    seen: list[torch.Tensor] = []

    def keep(_module, _inputs, output) -> None:
        seen.append(output.requires_grad_())

    hook = hf_model.model.vision_tower.encoder.layers[-1].register_forward_hook(keep)
    ids = torch.tensor(answer.input_ids)[None]
    types = torch.zeros_like(ids)
    types[:, start:stop] = 1
    try:
        with demo_model.lock:
            logits = hf_model(
                input_ids=ids,
                token_type_ids=types,
                pixel_values=processed(demo_model, answer)["pixel_values"],
                use_cache=False,
            ).logits[0]
    finally:
        hook.remove()
    (A,) = seen
    size = np.abs(found[:, start:stop]).max()
    for row, token in zip(found, answer.tokens, strict=True):
        z = logits[token.position - 1, token.id]
        (dA,) = torch.autograd.grad(z, A, retain_graph=True)
        wanted = (A[0] @ dA[0].mean(0)).clamp_min(0).detach().numpy()  # one patch a soft token
        # Two float32 passes; each row against the largest, for some are nothing but cancellation.
        assert np.abs(row[start:stop] - wanted).max() < 1e-5 * size
