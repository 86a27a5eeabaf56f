"""Members of one factory need not run the same layers, nor be checked one by one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import nn

from initlab import pytorch

BATCH = torch.randn(6, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


class Experts(nn.Module):
    """One of eight for each example, as its gate chooses."""

    def __init__(self, bias=0.0, faulty=0):
        super().__init__()
        self.entry = nn.Linear(16, 32)
        self.gate = nn.Linear(32, 8, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32))
            for _ in range(8)
        )
        self.head = nn.Linear(32, 4)
        for expert in list(self.experts)[:faulty]:
            nn.init.constant_(expert.get_parameter("0.bias"), bias)

    def forward(self, x):
        hidden = torch.relu(self.entry(x))
        share, chosen = self.gate(hidden).softmax(-1).max(-1, keepdim=True)
        out = torch.zeros_like(hidden)
        for number, expert in enumerate(self.experts):
            mine = (chosen == number)[:, 0]
            if mine.any():
                out[mine] += share[mine] * expert(hidden[mine])
        return self.head(hidden + out)


def test_experts_that_some_members_do_not_choose_are_nan_there():
    diagnosis = pytorch.check(Experts, BATCH, targets=LABELS, seeds=4)
    assert diagnosis.sound
    place = diagnosis.dataset["use"].values[0, :, 0]
    parameters = list(diagnosis.dataset["parameter"].values)
    assert parameters[:2] == ["entry.weight", "gate.weight"]
    assert parameters[-1] == "head.weight"
    ran = ~np.isnan(place)
    assert not ran.all()
    assert ran.any(axis=0).all()
    for member, names in enumerate(ran):
        single = pytorch.check(Experts, BATCH, targets=LABELS, seed=member).dataset
        chosen = [name for name, here in zip(parameters, names, strict=True) if here]
        assert sorted(chosen) == sorted(single["parameter"].values)
        order = np.argsort(place[member][names])
        assert [chosen[i] for i in order] == list(single["parameter"].values)
    std = diagnosis.dataset["weight_std"].values[0, :, 0]
    assert (np.isnan(std) == ~ran).all()


def test_a_fault_of_all_experts_is_one_finding_of_all_members():
    diagnosis = pytorch.check(lambda: Experts(-40, 8), BATCH, targets=LABELS, seeds=4)
    (found,) = diagnosis.of("error", "warning")
    assert (found.id, found.found_in) == ("WI12", (4, 4))
    ran = set(diagnosis.dataset["parameter"].values)
    dead = {f"experts.{n}.0.bias" for n in range(8) if f"experts.{n}.0.weight" in ran}
    assert set(found.places) == dead


def test_a_fault_of_one_expert_is_of_the_members_that_chose_it():
    diagnosis = pytorch.check(lambda: Experts(-40, 1), BATCH, targets=LABELS, seeds=4)
    place = list(diagnosis.dataset["parameter"].values).index("experts.0.0.weight")
    chose = int((~np.isnan(diagnosis.dataset["use"].values[0, :, 0, place])).sum())
    assert 0 < chose < 4
    (found,) = diagnosis.of("error", "warning")
    assert (found.parameter, found.found_in) == ("experts.0.0.bias", (chose, chose))


def test_threads_with_factories_give_what_one_after_the_other_gives():
    def checked(seed):
        def make():
            return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))

        dataset = pytorch.check(make, BATCH, seeds=3, seed=seed).dataset
        return [float(value) for value in dataset["weight_largest"].values.ravel()]

    alone = [checked(seed) for seed in range(6)]
    before = torch.get_rng_state()
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(checked, range(6)))
    assert together == alone
    assert torch.equal(torch.get_rng_state(), before)


def test_members_in_another_order_are_matched_by_name():
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(16, 16), nn.Linear(16, 16)
            self.turned = bool(torch.rand(()) < 0.5)

        def forward(self, x):
            pair = (self.two, self.one) if self.turned else (self.one, self.two)
            return pair[1](torch.relu(pair[0](x)))

    turned = [Turned().turned for _ in range(8)]
    assert len(set(turned)) == 2
    dataset = pytorch.check(Turned, BATCH, seeds=8).dataset
    assert list(dataset["parameter"].values) in (
        ["one.weight", "two.weight"],
        ["two.weight", "one.weight"],
    )
    assert not np.isnan(dataset["use"].values).any()
