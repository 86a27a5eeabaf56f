"""Where healthy models lie beside the thresholds of `initlab check`; held-out errors.

Thresholds were chosen on seeds 0 to 4 of the {len(HEALTHY)} healthy models and
{len(FAULTS)} kinds of planted faults in `benchmarks/check/`; seeds from {HELD_OUT}
on were not looked at for that. The models are the same in both, so that this says how
sure a verdict is over seeds, not over architectures that nobody thought of.

| held out, {seeds} seeds | |
|---|---|
| healthy models | {models} |
| with an error | {len(set(errors))} |
| false alarms | {len(alarms)}{named} |
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
    PAGE.write_text(page(seeds), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
