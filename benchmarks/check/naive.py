"""Baselines: the rules of thumb of training linters, as they are usually written.

Written from their descriptions, with their usual thresholds. Linters that pip offers
are in `linters.py`.
"""

import math

import torch
from torch import Tensor, nn

from check.subject import Batch, Subject, seeded
from check.tools import Flag

RATIO, GRADIENT_RATIO, DEAD, CONFIDENT, FACTOR = 10.0, 100.0, 0.5, 0.5, 1.5


class ThresholdLinter:
    """Forward and backward hooks on every leaf, and fixed thresholds."""

    name, version = "thresholds on activations and gradients", ""
    repair = None

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        outputs, kept = self._outputs(subject, model, batch)
        flags = [Flag(check="WI01", module=name) for name in kept["not finite"]]
        scales = [(name, scale) for name, scale in outputs if math.isfinite(scale)]
        for name, scale in scales:
            if scale > RATIO * scales[0][1]:
                flags.append(Flag(check="WI09", module=name))
            elif scale < scales[0][1] / RATIO:
                flags.append(Flag(check="WI08", module=name))
        flags += [Flag(check="WI12", module=name) for name in kept["dead"]]
        norms = []
        for name, parameter in model.named_parameters():
            gradient, module = parameter.grad, name.rpartition(".")[0]
            if parameter.dim() < 2 or not parameter.requires_grad:
                continue
            if gradient is None or not gradient.any():
                flags.append(Flag(check="WI03", module=module, parameter=name))
            else:
                norms.append((float(gradient.float().pow(2).mean().sqrt()), module))
        if norms and max(norms)[0] > GRADIENT_RATIO * min(norms)[0]:
            flags.append(Flag(check="WI10", module=min(norms)[1]))
        if kept["loss"] > kept["prior"] + CONFIDENT:
            flags.append(Flag(check="WI14"))
        model.zero_grad(set_to_none=True)
        return flags

    @staticmethod
    def _outputs(subject: Subject, model: nn.Module, batch: Batch):
        names = {id(one): name for name, one in model.named_modules()}
        outputs: list[tuple[str, float]] = []
        kept = {"dead": [], "not finite": [], "loss": math.nan, "prior": math.inf}

        def look(module, _, output):
            if not isinstance(output, Tensor):
                return
            name = names[id(module)]
            values = output.detach().float()
            if not torch.isfinite(values).all():
                kept["not finite"].append(name)
            if isinstance(module, nn.ReLU):
                inactive = (values.flatten(1) <= 0).all(0).float().mean()
                if inactive > DEAD:
                    kept["dead"].append(name)
            outputs.append((name, float(values.std())))

        leaves = [one for one in model.modules() if not list(one.children())]
        hooks = [one.register_forward_hook(look) for one in leaves]
        try:
            with seeded(0):
                output = model(*batch.inputs)
                loss = subject.loss(output, batch.targets)
        finally:
            for hook in hooks:
                hook.remove()
        loss.backward()
        kept["loss"] = float(loss.detach())
        if isinstance(output, Tensor) and not batch.targets.is_floating_point():
            channel = -1 if output.dim() == 3 else 1
            kept["prior"] = math.log(output.shape[channel])
        return outputs, kept


class WeightLinter:
    """Reads weights only: every deviation should be He's by PyTorch's fan_in."""

    name, version = "deviation of each weight against He's", ""
    repair = None

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        flags = []
        for name, parameter in model.named_parameters():
            module = name.rpartition(".")[0]
            values = parameter.detach().float()
            if not torch.isfinite(values).all():
                flags.append(Flag(check="WI01", module=module, parameter=name))
            elif values.dim() < 2:
                continue
            elif not values.any():
                flags.append(Flag(check="WI03", module=module, parameter=name))
            elif len(torch.unique(values.flatten(1), dim=0)) < len(values):
                flags.append(Flag(check="WI02", module=module, parameter=name))
            else:
                wanted = math.sqrt(2 / math.prod(values.shape[1:]))
                factor = float(values.std()) / wanted
                if not 1 / FACTOR < factor < FACTOR:
                    flags.append(Flag(check="WI05", module=module, parameter=name))
        return flags
