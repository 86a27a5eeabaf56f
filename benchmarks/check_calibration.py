"""Where healthy models lie beside the thresholds of `initlab check`; held-out errors.

Thresholds were chosen on seeds 0 to 4 of the healthy models and planted faults in
`check/`; seeds from 100 on are held out. Writes docs/check-calibration.md.

    python benchmarks/check_calibration.py --seeds 5
"""

import argparse
import datetime
import math
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))

from check.faults import FAULTS, Case
from check.healthy import HEALTHY
from check.held_out import HELD_OUT as UNSEEN
from check.subject import Subject
from check.tools import Flag

from initlab import pytorch, theory
from initlab.analysis.findings import Finding
from initlab.analysis.findings._model import Model, models_of
from initlab.analysis.findings._updates import has_targets_of_its_own

PAGE = Path(__file__).parents[1] / "docs" / "check-calibration.md"
# What was measured once, elsewhere than here; it goes to the end of the page.
ELSEWHERE = Path(__file__).with_name("check_elsewhere.md")
HELD_OUT = 100


def findings_of(subject: Subject, seed: int) -> tuple[pytorch.Diagnosis, list[Finding]]:
    """Check a model; what is found, without info."""
    model, batch = subject.build(seed), subject.batch(0, subject.size)
    diagnosis = pytorch.check(
        model,
        batch.inputs,
        loss=subject.loss,
        targets=batch.targets,
        optimizer=subject.optimizer([p for p in model.parameters() if p.requires_grad]),
    )
    return diagnosis, list(diagnosis.of("warning", "error"))


def measured(model: Model) -> Iterator[tuple[str, float]]:
    """Yield the numbers that thresholds are set on, by name."""
    for chain in model.chains():
        chi = [model.of("chi", use.index) for use in chain[:-1]]
        if len(chain) >= 3 and all(c > 0 for c in chi):
            long = "over" if len(chain) > 10 else "up to"
            hidden = [u for u in chain if not u.head]
            budget = theory.gradient_budget(chi).largest
            yield f"gradient budget, chains of {long} 10 layers", budget
            sizes = [
                model.of("preactivation_rms", u.index) for u in chain if not u.head
            ]
            if len(sizes) > 1 and min(sizes) > 0:
                ratio = abs(math.log(sizes[-1] / sizes[0]))
                yield "absolute ln of the change of the signal over a chain", ratio
            if len(chain) > 10 and not model.facts.attentions:
                last = model.of("centred_cosine", hidden[-1].index)
                yield "centred cosine after chains of over 10 layers", last
    for use in model.uses:
        share = model.of("saturated_share", use.index)
        if use.activation in ("tanh", "sigmoid") and not use.role:
            yield "saturated share, tanh and sigmoid", share
        before = [model.of("preactivation_rms", below) for below in use.previous]
        given = model.of("given_rms", use.index)
        if not (use.stem or use.norm_before) and max(before, default=0.0) > 0:
            yield "jump of the signal between two layers", given / max(before)
        known = model.parameter(use.parameter)
        if known and model.facts.attentions and has_targets_of_its_own(model, use):
            name = (
                "rank-1 share of a gradient between the attentions of a language model"
            )
            if math.isfinite(known.gradient_rank_one):
                yield name, known.gradient_rank_one
    for attention in model.facts.attentions:
        yield "std of attention logits", attention.logit_std
        yield "1 - entropy of attention / ln(length)", 1 - attention.entropy
    output = model.facts.output
    if output.loss_kind == "cross_entropy":
        yield "first loss over ln(classes), nats", output.loss - output.prior_loss
    ratios = [
        p.update_ratio for p in model.facts.parameters
        if p.role == "weight" and len(p.shape) > 1 and p.std > 0
        and math.isfinite(p.update_ratio)
    ]  # fmt: skip
    if ratios:
        yield "median relative first update", float(np.median(ratios))
    growths = [
        b.sum_rms / b.skip_rms for b in model.facts.blocks
        if b.outer is None and b.skip_rms > 0
    ]  # fmt: skip
    if growths:
        yield (
            "growth of a residual block, late median",
            float(np.median(growths[len(growths) // 2 :])),
        )


THRESHOLDS = {
    "gradient budget, chains of up to 10 layers": "14 (6 if gains are too large)",
    "gradient budget, chains of over 10 layers": "9 (6 if gains are too large)",
    "absolute ln of the change of the signal over a chain": "4.6",
    "centred cosine after chains of over 10 layers": ".998",
    "saturated share, tanh and sigmoid": ".35",
    "std of attention logits": "3",
    "1 - entropy of attention / ln(length)": ".5",
    "first loss over ln(classes), nats": "3 (info: .5)",
    "median relative first update": ".2",
    "growth of a residual block, late median": "1.15 (1.25 if its branch normalizes), "
    "and 30 over the trunk",
    "jump of the signal between two layers": "100",
    "rank-1 share of a gradient between the attentions of a language model": ".9999",
}


def healthy_rows(
    subjects: Mapping[str, Subject], seeds: range
) -> tuple[dict[str, list[float]], list[str], int]:
    """Measure the healthy models; return values, false alarms, and how many ran."""
    values: dict[str, list[float]] = defaultdict(list)
    alarms, count = [], 0
    for name, subject in subjects.items():
        for seed in seeds:
            diagnosis, found = findings_of(subject, seed)
            count += 1
            alarms += [f"{name}, {one.id} {one.severity}" for one in found]
            for quantity, value in measured(models_of(diagnosis.dataset)[0]):
                if math.isfinite(value):
                    values[quantity].append(value)
    return values, alarms, count


def fault_rows(seeds: range) -> tuple[int, int, int, list[str]]:
    """Check planted faults; return cases, right checks, right layers, and misses."""
    cases = right = placed = 0
    missed = []
    for fault, plan in FAULTS.items():
        for host in plan.hosts:
            for seed in seeds:
                case = Case(fault=fault, host=host, seed=seed)
                _, found = findings_of(case.subject, seed)
                named = [one for one in found if one.id in plan.checks]
                where = case.where()
                at = any(
                    Flag(check=o.id, module=o.module, parameter=o.parameter).is_at(
                        where
                    )
                    for o in named
                )
                cases, right, placed = cases + 1, right + bool(named), placed + at
                if not at:
                    missed.append(f"{fault} in {host}")
    return cases, right, placed, missed


def page(seeds: int) -> str:
    """Return the page, with everything measured anew."""
    values, _, _ = healthy_rows(HEALTHY, range(seeds))
    held, alarms, models = healthy_rows(HEALTHY, range(HELD_OUT, HELD_OUT + seeds))
    _, others, unseen = healthy_rows(UNSEEN, range(seeds))
    cases, right, placed, missed = fault_rows(range(HELD_OUT, HELD_OUT + seeds))
    rows = "\n".join(
        f"| {name} | {limit} | {len(values[name])} | {np.median(values[name]):.3g} | "
        f"{max(values[name]):.3g} | {max(held[name]):.3g} |"
        for name, limit in THRESHOLDS.items()
        if values[name] and held[name]
    )
    worst = sorted({(miss, missed.count(miss)) for miss in missed}, key=lambda m: -m[1])
    listed = "; ".join(f"{miss} ({count})" for miss, count in worst) or "none"
    named = f": {'; '.join(sorted(set(alarms)))}" if alarms else ""
    errors = [one for one in alarms if one.endswith("error")]
    return f"""# How the thresholds of `initlab check` were set

Written by `python benchmarks/check_calibration.py --seeds {seeds}` on
{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, torch {torch.__version__}. Thresholds
were chosen on seeds 0 to 4 of the {len(HEALTHY)} healthy models and {len(FAULTS)}
kinds of planted faults in `benchmarks/check/`; seeds from {HELD_OUT} on were not
looked at for that. The models are the same in both, so that this says how sure a
verdict is over seeds, not over architectures that nobody thought of.

| held out, {seeds} seeds | |
|---|---|
| healthy models | {models} |
| with an error | {len(set(errors))} |
| false alarms | {len(alarms)}{named} |
| healthy models of {len(UNSEEN)} other architectures, written later | {unseen} |
| false alarms among them | {len(others)} |
| planted faults | {cases} |
| right check, warning or error | {right} ({right / cases:.1%}) |
| right check at the right layer | {placed} ({placed / cases:.1%}) |

Missed: {listed}.

Where healthy models lie (a number per chain, layer, attention or model, over all
seeds):

| quantity | warns beyond | numbers | median | largest | largest, held out |
|---|---|---|---|---|---|
{rows}

A largest number beyond its threshold was judged together with something else: a budget
counts where nothing normalizes and no zero is by design, attention's entropy beside its
length.

Budgets come from plain networks ([who trains](trainability.md)): of 648, all with a
budget
over 12 failed with gradient descent. AlexNet from PyTorch's start has 12 in 8 layers
and
trains, so that chains of up to 10 layers are allowed 14. For residual, normalized and
attention networks no such experiment exists; their thresholds are where healthy models
end
and planted faults begin, and WI20 and post-norm stacks without warm-up stay info.
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    elsewhere = ELSEWHERE.read_text("utf-8")
    PAGE.write_text(f"{page(seeds)}\n{elsewhere}", encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
