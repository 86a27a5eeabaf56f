"""`pytorch.check`: what it takes, what it returns, and what it refuses."""

import json

import pytest
import torch
from networks import GPT, plain
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import initlab as il
from initlab import pytorch
from initlab.errors import InvalidValueError

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 5


class Forgets(nn.Module):
    """Has a weight that nothing initializes, and one that is drawn over."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(16, 16))
        self.body, self.head = nn.Linear(16, 16), nn.Linear(16, 5)
        self.close()
        self.open()

    def close(self):
        nn.init.zeros_(self.head.weight)

    def open(self):
        nn.init.normal_(self.head.weight, std=0.1)

    def forward(self, x):
        return self.head(torch.relu(self.body(x @ self.weight)))


def test_what_nothing_initializes_is_found_by_building_twice():
    found = pytorch.check(Forgets, BATCH).findings

    causes = {one.parameter: one.cause for one in found if one.id == "WI21"}
    assert causes["weight"] == "uninitialized"
    assert causes["head.weight"] == "overwritten"


def test_members_are_built_from_their_own_seeds():
    diagnosis = pytorch.check(lambda: plain(), BATCH, seeds=3, seed=7)

    assert diagnosis.dataset.sizes["member"] == 3
    norms = diagnosis.dataset["weight_norm"].values[0, :, 0, 0]
    assert len(set(norms)) == 3
    again = pytorch.check(lambda: plain(), BATCH, seeds=3, seed=7)
    assert (again.dataset["weight_norm"].values[0, :, 0, 0] == norms).all()


def test_random_states_are_untouched():
    model = plain()
    loader = DataLoader(TensorDataset(BATCH, LABELS), batch_size=32, shuffle=True)
    before = torch.get_rng_state()

    pytorch.check(Forgets, BATCH)
    pytorch.check(model, loader)

    assert (torch.get_rng_state() == before).all()


@pytest.mark.parametrize(
    "batch",
    [
        (BATCH, LABELS),
        [BATCH, LABELS],
        DataLoader(TensorDataset(BATCH, LABELS), batch_size=32),
    ],
    ids=["tuple", "list", "DataLoader"],
)
def test_a_last_entry_that_the_model_does_not_take_is_the_targets(batch):
    diagnosis = pytorch.check(plain(), batch)

    facts = json.loads(diagnosis.dataset.attrs["facts"])[0]
    assert facts["output"]["loss_kind"] == "cross_entropy"
    assert facts["output"]["classes"] == 5


def test_a_dict_is_keyword_arguments_and_the_models_own_loss_is_used():
    ids = torch.randint(0, 61, (4, 12))

    diagnosis = pytorch.check(GPT(), {"ids": ids, "targets": ids})

    facts = json.loads(diagnosis.dataset.attrs["facts"])[0]
    assert facts["output"]["loss_kind"] == "model's own"


def test_the_dataset_has_the_variables_of_signal():
    own = pytorch.check(plain(), BATCH).dataset
    lab = il.signal(il.MLP(widths=(16, 32, 32, 5)), members=2)

    shared = ("chi", "preactivation_rms", "activation_rms", "delta_rms", "cosine",
              "centred_cosine", "inactive_units", "saturated_share", "gradient_norm",
              "weight_norm", "distinct_units")  # fmt: skip
    for name in shared:
        assert own[name].dims == lab[name].dims


def test_a_diagnosis_is_text_json_html_and_a_page(tmp_path):
    class Evil(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module("<script>alert(1)</script>", nn.Linear(16, 5))

        def forward(self, x):
            return self._modules["<script>alert(1)</script>"](x)

    model = Evil()
    nn.init.constant_(next(model.parameters()), 0.5)
    diagnosis = pytorch.check(model, BATCH)

    page = diagnosis.report(tmp_path / "check.html").read_text()

    assert '<td class="long">' in page  # a fix may break, and hides nothing
    assert "WI02" in str(diagnosis)
    found = json.loads(diagnosis.to_json())["findings"][0]
    assert {"id", "severity", "module", "parameter", "measured", "expected",
            "formula", "fix"} <= set(found)  # fmt: skip
    for html in (page, diagnosis._repr_html_()):
        assert "WI02" in html
        assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("model", "batch", "more", "message"),
    [
        (3, BATCH, {}, "model: a torch.nn.Module or a function"),
        (plain(), BATCH, {"seeds": 3}, "seeds: 3 members need a function"),
        (plain(), BATCH, {"seeds": 0}, "seeds: must be at least 1"),
        (plain(), torch.randn(4, 9), {}, r"failed on this batch in 0 \(Linear\)"),
        (lambda: 3, BATCH, {}, "must return a torch.nn.Module, got int"),
        (nn.Linear, BATCH, {}, "must need no arguments"),
        (plain(), [], {}, "batch: tensors, got an empty list"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_one_line(model, batch, more, message):
    with pytest.raises(InvalidValueError, match=message):
        pytorch.check(model, batch, **more)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_types_get_the_same_verdict(dtype):
    assert pytorch.check(plain().to(dtype), BATCH.to(dtype), targets=LABELS).sound


def test_batch_size_and_seed_do_not_change_a_verdict():
    model = plain()
    bad = plain(depth=20)
    for layer in bad:
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()

    for size in (8, 32):
        for seed in (0, 1):
            assert pytorch.check(model, BATCH[:size], seed=seed).sound
            (finding,) = pytorch.check(bad, BATCH[:size], seed=seed).of("error")
            assert finding.id == "WI05"


def test_the_fixture_fails_with_what_was_found(pytester):
    pytester.makepyfile(
        """
        import torch
        from torch import nn

        def test_sound(init_check):
            torch.manual_seed(0)
            init_check(nn.Linear(8, 4), torch.randn(16, 8))

        def test_unsound(init_check):
            model = nn.Linear(8, 4)
            nn.init.ones_(model.weight)
            init_check(model, torch.randn(16, 8))
        """
    )

    # By import, so that the test runs whether or not the entry point is installed.
    pytester.makeconftest("from initlab.pytest_plugin import init_check")

    result = pytester.runpytest("-q")

    result.assert_outcomes(passed=1, failed=1)
    assert "WI02" in result.stdout.str()


def test_a_diagnosis_at_the_prompt_is_its_findings_and_no_numbers():
    shown = repr(pytorch.check(nn.Linear(4, 2), torch.ones(2, 4)))

    assert shown.startswith("Diagnosis(findings=(")
    assert "Dimensions" not in shown
