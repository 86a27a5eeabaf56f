"""Initializers with one fault each, and the property that must be named."""

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import erfinv, ndtri

from initlab import catalog
from initlab.spec import LayerSpec
from initlab.testing import Law, taps

HE = Law(distribution="normal", mode="fan_in", gain=2**0.5)
HE_BACKWARD = Law(distribution="normal", mode="fan_out", gain=2**0.5)
ORTHOGONAL = Law(
    std=lambda s: max(s[0], np.prod(s[1:])) ** -0.5, distribution="orthogonal"
)
UNIT_NORMAL = Law(std=1.0, distribution="normal")
UNIT_UNIFORM = Law(std=3**-0.5, distribution="uniform")
CUT = "truncated_normal(std=1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        make: Gives the faulty initializer, with no past.
        law: What it should keep.
        breaks: Pattern of the first broken property's message.
        options: Other arguments of `check_initializer`.
    """

    make: Callable[[], Callable[..., Any]]
    law: Any = field(default=HE)
    breaks: str
    options: dict[str, Any] = field(default_factory=dict)


FAULTS: dict[str, Fault] = {}


def fault(breaks, law=HE, **options):
    """Enter the maker of a faulty initializer under its name."""

    def enter(make):
        FAULTS[make.__name__] = Fault(
            make=make, law=law, breaks=breaks, options=options
        )
        return make

    return enter


def edited(breaks, law=HE, **options):
    """Enter a fault that is done to correct weights: `f(weight, rng) -> weight`."""

    def enter(edit):
        def make():
            return lambda shape, rng: edit(he(shape, rng), rng)

        FAULTS[edit.__name__] = Fault(
            make=make, law=law, breaks=breaks, options=options
        )
        return edit

    return enter


def stated(breaks, law=HE, **options):
    """Enter a fault of the scale: `f(shape) -> std`."""

    def enter(std):
        def make():
            return lambda shape, rng: rng.standard_normal(shape) * std(shape)

        FAULTS[std.__name__] = Fault(make=make, law=law, breaks=breaks, options=options)
        return std

    return enter


def fans(shape):
    field = int(np.prod(shape[2:]))
    return shape[1] * field, shape[0] * field


def he(shape, rng):
    return rng.standard_normal(shape) * (2 / fans(shape)[0]) ** 0.5


def haar(shape, rng, gain=1.0):
    rows, columns = shape[0], int(np.prod(shape[1:]))
    gaussian = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(gaussian)
    q = q * np.sign(np.diagonal(r))
    return gain * (q.T if rows < columns else q).reshape(shape)


def he_for(layer, rng):
    """The correct initializer of a layer."""
    return rng.standard_normal(layer.shape) * (2 / taps(layer)[0]) ** 0.5


# --- scale -----------------------------------------------------------------------


@stated("std at")
def three_percent_too_wide(shape):
    return 1.03 * (2 / fans(shape)[0]) ** 0.5


@stated("std at")
def two_percent_too_narrow(shape):
    return 0.98 * (2 / fans(shape)[0]) ** 0.5


@stated("std at")
def gain_forgotten(shape):
    return (1 / fans(shape)[0]) ** 0.5


@stated("std at")
def gain_squared(shape):
    return 2 / fans(shape)[0] ** 0.5


@stated("std at")
def variance_where_std_is_meant(shape):
    return 2 / fans(shape)[0]


@stated("std at")
def fan_out_for_fan_in(shape):
    return (2 / fans(shape)[1]) ** 0.5


@stated("std at", law=HE_BACKWARD)
def fan_in_for_fan_out(shape):
    return (2 / fans(shape)[0]) ** 0.5


@stated("std at")
def fan_average_for_fan_in(shape):
    return (4 / sum(fans(shape))) ** 0.5


@stated("std at")
def fan_is_the_first_axis(shape):
    return (2 / shape[0]) ** 0.5


@stated("std at")
def fan_is_the_last_axis(shape):
    return (2 / shape[-1]) ** 0.5


@stated(r"std at shape \(64, 32, 3, 3\)")
def receptive_field_ignored(shape):
    return (2 / shape[1]) ** 0.5


@stated(r"std at shape \(64, 32, 3, 3\)")
def receptive_field_twice(shape):
    return (2 / (shape[1] * np.prod(shape[2:]) ** 2)) ** 0.5


@stated("std at")
def one_kernel_axis_counted(shape):
    return (2 / (shape[1] * np.prod(shape[2:3]))) ** 0.5


@stated("std at")
def constant_std(shape):  # noqa: ARG001
    return 0.05


@stated("std at")
def wrong_for_large_fans(shape):
    return (2 / min(fans(shape)[0], 512)) ** 0.5


@stated("std at")
def wrong_for_odd_sizes(shape):
    return (2 / fans(shape)[0]) ** 0.5 * (1.1 if shape[0] % 2 else 1)


@stated("std at")
def wrong_for_a_single_input(shape):
    return (2 / max(2, fans(shape)[0])) ** 0.5


@stated("std at")
def wrong_for_a_million_weights(shape):
    return (2 / fans(shape)[0]) ** 0.5 * (0.9 if np.prod(shape) >= 500_000 else 1)


@fault("std at", law="he_uniform")
def uniform_bound_is_the_std():
    def wrong(shape, rng):
        bound = (2 / fans(shape)[0]) ** 0.5
        return rng.uniform(-bound, bound, shape)

    return wrong


@fault("std at", law="variance_scaling(distribution=truncated_normal)")
def truncation_not_corrected():
    def wrong(shape, rng):
        quantiles = rng.uniform(0.02275, 0.97725, shape)
        return ndtri(quantiles) * fans(shape)[0] ** -0.5

    return wrong


# --- location and form -----------------------------------------------------------


@edited("mean at")
def mean_shifted_a_fiftieth(weight, rng):  # noqa: ARG001
    return weight + 0.02 * weight.std()


@edited("std at|mean at")
def half_normal(weight, rng):  # noqa: ARG001
    return np.abs(weight)


@edited("mean at")
def signs_biased(weight, rng):
    return np.where(rng.random(weight.shape) < 0.01, np.abs(weight), weight)


@edited("mean at|kurtosis at")
def one_sided_but_centred(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    return (rng.exponential(size=weight.shape) - 1) * std


@edited("kurtosis at")
def uniform_for_normal(weight, rng):
    bound = 3**0.5 * (2 / fans(weight.shape)[0]) ** 0.5
    return rng.uniform(-bound, bound, weight.shape)


@edited("kurtosis at|extremes")
def cut_at_three_and_corrected(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    low = 0.0013498980316300933
    return ndtri(rng.uniform(low, 1 - low, weight.shape)) * std / 0.98658


@edited("extremes|values at the bound|kurtosis")
def clipped_at_four(weight, rng):  # noqa: ARG001
    std = (2 / fans(weight.shape)[0]) ** 0.5
    return np.clip(weight, -4 * std, 4 * std)


@edited("kurtosis at")
def heavy_tails_of_the_right_std(weight, rng):
    wide = rng.random(weight.shape) < 0.05
    return weight * np.where(wide, 2.0, (0.8 / 0.95) ** 0.5)


@edited("kurtosis at")
def laplace(weight, rng):
    return rng.laplace(scale=fans(weight.shape)[0] ** -0.5, size=weight.shape)


@edited("duplicate units")
def signs_only(weight, rng):  # noqa: ARG001
    return np.sign(weight) * (2 / fans(weight.shape)[0]) ** 0.5


@edited("distribution")
def two_normals_of_the_right_kurtosis(weight, rng):
    # Three point masses, smeared: the moments up to the fifth are a normal's.
    centre = rng.choice([-(3**0.5), 0, 3**0.5], weight.shape, p=[1 / 6, 2 / 3, 1 / 6])
    mixed = 0.8 * centre + 0.6 * rng.standard_normal(weight.shape)
    return mixed * (2 / fans(weight.shape)[0]) ** 0.5


@fault("bounds|kurtosis", law=UNIT_UNIFORM)
def triangular_for_uniform():
    return lambda shape, rng: (rng.random(shape) - rng.random(shape)) * 2**0.5


@fault("kurtosis", law=CUT)
def normal_of_the_cut_ones_std():
    return lambda shape, rng: rng.standard_normal(shape) * 0.87962566103423978


@edited("distinct values|zero")
def sixteen_bits_in_disguise(weight, rng):  # noqa: ARG001
    return weight.astype(np.float16).astype(np.float64)


@edited("values that are zero|kurtosis")
def one_in_ten_thousand_is_zero(weight, rng):
    return np.where(rng.random(weight.shape) < 1e-4, 0.0, weight)


# --- structure -------------------------------------------------------------------


@edited("zero units")
def one_dead_unit(weight, rng):  # noqa: ARG001
    weight[len(weight) // 2] = 0
    return weight


@edited("duplicate units")
def two_equal_units(weight, rng):  # noqa: ARG001
    weight[-1] = weight[0]
    return weight


@edited("duplicate units")
def half_of_the_units_are_copies(weight, rng):  # noqa: ARG001
    half = len(weight) // 2
    weight[half : 2 * half] = weight[:half]
    return weight


@edited("duplicate units")
def one_percent_of_the_units_are_copies(weight, rng):  # noqa: ARG001
    count = len(weight) // 100
    if count:
        weight[:count] = weight[-count:]
    return weight


@edited("duplicate units")
def negated_copies(weight, rng):  # noqa: ARG001
    half = len(weight) // 2
    weight[half : 2 * half] = -weight[:half]
    return weight


@edited("duplicate units")
def scaled_copy(weight, rng):  # noqa: ARG001
    if len(weight) > 1:
        weight[0] = 0.5 * weight[1]
    return weight


@edited("duplicate units")
def permuted_copy(weight, rng):
    if len(weight) > 1:
        weight[0] = rng.permutation(weight[1].ravel()).reshape(weight[1].shape)
    return weight


@edited("duplicate units")
def rolled_rows(weight, rng):  # noqa: ARG001
    flat = weight.reshape(len(weight), -1)
    return np.array([np.roll(flat[0], i) for i in range(len(flat))]).reshape(
        weight.shape
    )


@fault("patterns|widths of units")
def toeplitz():
    def wrong(shape, rng):
        rows, columns = shape[0], int(np.prod(shape[1:]))
        line = rng.standard_normal(rows + columns) * (2 / columns) ** 0.5
        index = np.arange(rows)[:, None] - np.arange(columns) + columns
        return line[index].reshape(shape)

    return wrong


@edited("zero inputs")
def dead_input(weight, rng):  # noqa: ARG001
    weight[:, 0] = 0
    return weight


@edited("zero|rank|kurtosis")
def half_of_the_columns_are_zero(weight, rng):  # noqa: ARG001
    weight[:, ::2] = 0
    return weight * 2**0.5


@edited("rank at")
def low_rank(weight, rng):
    rows, columns = weight.shape[0], weight[0].size
    rank = max(1, min(rows, columns) // 4)
    product = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, columns))
    return (product * (2 / columns / rank) ** 0.5).reshape(weight.shape)


@edited("duplicate units|rank at")
def outer_product(weight, rng):
    rows, columns = weight.shape[0], weight[0].size
    product = np.outer(rng.standard_normal(rows), rng.standard_normal(columns))
    return (product * (2 / columns) ** 0.5).reshape(weight.shape)


@edited("rank at|sums of inputs|std")
def columns_sum_to_zero(weight, rng):  # noqa: ARG001
    return weight - weight.mean(axis=0)


@edited("rank at|sums of units")
def rows_sum_to_zero(weight, rng):  # noqa: ARG001
    flat = weight.reshape(len(weight), -1)
    return (flat - flat.mean(axis=1, keepdims=True)).reshape(weight.shape)


@edited("patterns|rank")
def symmetric(weight, rng):  # noqa: ARG001
    if weight.ndim == 2 and weight.shape[0] == weight.shape[1]:
        return np.triu(weight) + np.triu(weight, 1).T
    return weight


@edited("rank|dependent|patterns|zero|kurtosis")
def lower_triangle(weight, rng):  # noqa: ARG001
    if weight.ndim == 2 and weight.shape[0] == weight.shape[1]:
        return np.tril(weight) * 2**0.5
    return weight


@edited("dependent units|sums of inputs")
def correlated_rows(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    common = rng.standard_normal(weight.shape[1:]) * std
    return 0.95**0.5 * weight + 0.05**0.5 * common


@edited("sums of units")
def correlated_inputs(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    common = rng.standard_normal((len(weight), *[1] * (weight.ndim - 1))) * std
    return 0.95**0.5 * weight + 0.05**0.5 * common


@edited("dependent|patterns")
def neighbours_correlated(weight, rng):  # noqa: ARG001
    flat = weight.reshape(len(weight), -1)
    moved = np.roll(flat, 1, axis=1)
    mixed = 0.995**0.5 * flat + 0.005**0.5 * moved
    return (mixed if flat.shape[1] > 2 else flat).reshape(weight.shape)


@edited("widths of units")
def row_scales(weight, rng):  # noqa: ARG001
    scale = np.where(np.arange(len(weight)) % 2, 0.8, 1.1662)
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1))


@edited("widths of units")
def gentle_row_scales(weight, rng):
    scale = 1 + 0.1 * rng.uniform(-1, 1, (len(weight), *[1] * (weight.ndim - 1)))
    return weight * scale / (1 + 0.01 / 3) ** 0.5


@edited("widths of inputs")
def column_scales(weight, rng):  # noqa: ARG001
    columns = weight.shape[1]
    scale = np.linspace(0.8, 1.2, columns) if columns > 1 else np.ones(1)
    scale /= np.sqrt(np.mean(scale**2))
    return weight * scale.reshape(1, -1, *[1] * (weight.ndim - 2))


@edited("widths of kernel")
def kernel_centre_heavier(weight, rng):  # noqa: ARG001
    if weight.ndim < 4:
        return weight
    scale = np.ones(weight.shape[2:])
    scale[tuple(size // 2 for size in scale.shape)] = 1.3
    return weight * scale / np.sqrt(np.mean(scale**2))


@edited("patterns|kurtosis")
def checkerboard_of_widths(weight, rng):  # noqa: ARG001
    parity = np.indices(weight.shape).sum(axis=0) % 2
    if min(weight.shape[:2]) < 2:
        return weight
    return weight * np.where(parity, 0.9, 1.19**0.5)


@edited("patterns|dependent|sums")
def sorted_weights(weight, rng):  # noqa: ARG001
    return np.sort(weight, axis=None).reshape(weight.shape)


@edited("rank|patterns|dependent")
def one_kernel_for_all_inputs(weight, rng):  # noqa: ARG001
    return weight if weight.ndim < 3 else np.broadcast_to(weight[:, :1], weight.shape)


# --- streams ---------------------------------------------------------------------


@fault("two calls differ")
def seeded_anew_in_every_call():
    return lambda shape, rng: he(shape, np.random.default_rng(0))  # noqa: ARG005


@fault("two calls differ")
def seeded_by_the_shape():
    return lambda shape: he(shape, np.random.default_rng(sum(shape)))


@fault("two calls differ")
def stream_copied_before_use():
    return lambda shape, rng: he(shape, copy.deepcopy(rng))


@fault("two calls differ")
def slices_of_one_stream():
    numbers = np.random.default_rng(1).standard_normal(3_000_000)

    def wrong(shape, rng):  # noqa: ARG001
        return numbers[: np.prod(shape)].reshape(shape) * (2 / fans(shape)[0]) ** 0.5

    return wrong


@fault("global random states")
def numpys_global_stream():
    return lambda shape: he(shape, np.random)


@fault("global random states")
def seeds_the_global_stream():
    def wrong(shape, rng):
        np.random.seed(0)
        return he(shape, rng)

    return wrong


@fault("global random states")
def python_s_global_stream():
    def wrong(shape, rng):
        return he(shape, rng) * (1 + 1e-9 * random.random())

    return wrong


@fault("same stream, same bytes")
def stream_ignored():
    own = np.random.default_rng(5)
    return lambda shape, rng: he(shape, own)  # noqa: ARG005


@fault("same stream, same bytes")
def entropy_of_the_system_added():
    return lambda shape, rng: he(shape, rng) + 1e-12 * np.random.default_rng().random()


@fault("same stream, same bytes")
def global_state_read_and_put_back():
    def wrong(shape, rng):
        state = np.random.get_state()
        factor = 1 + 1e-9 * np.random.random_sample()
        np.random.set_state(state)
        return he(shape, rng) * factor

    return wrong


@fault("std at|same stream")
def only_the_first_calls_are_right():
    calls = []

    def wrong(shape, rng):
        calls.append(shape)
        return he(shape, rng) * (1 if len(calls) < 10 else 1.2)

    return wrong


@fault("same stream")
def only_the_first_call_is_wrong():
    calls = []

    def wrong(shape, rng):
        calls.append(shape)
        return he(shape, rng) * (1.2 if len(calls) == 1 else 1)

    return wrong


@fault("results stay")
def one_buffer_for_all_results():
    buffers = {}

    def wrong(shape, rng):
        buffer = buffers.setdefault(shape, np.empty(shape))
        buffer[...] = he(shape, rng)
        return buffer

    return wrong


@fault("dependent draws|two calls|overlap|same stream")
def every_second_call_negates_the_first():
    last = {}

    def wrong(shape, rng):
        if shape in last:
            return -last.pop(shape)
        last[shape] = he(shape, rng)
        return last[shape].copy()

    return wrong


@fault("dependent draws|no numbers shared|sums")
def few_seeds():
    return lambda shape, rng: he(shape, np.random.default_rng(rng.integers(64)))


@fault("dependent draws|patterns|overlapping|sums")
def members_share_a_part():
    def wrong(shape, rng):
        common = he(shape, np.random.default_rng(7))
        return 0.98**0.5 * he(shape, rng) + 0.02**0.5 * common

    return wrong


@fault("overlapping draws|dependent|patterns")
def next_call_starts_one_number_later():
    numbers = np.random.default_rng(8).standard_normal(6_000_000)
    position = [0]

    def wrong(shape):
        position[0] += 1
        part = numbers[position[0] : position[0] + int(np.prod(shape))]
        return part.reshape(shape) * (2 / fans(shape)[0]) ** 0.5

    return wrong


@fault("widths of draws|std at|kurtosis|widths")
def one_call_in_twenty_is_twice_as_wide():
    def wrong(shape, rng):
        factor = 2.0 if rng.random() < 0.05 else (0.8 / 0.95) ** 0.5
        return he(shape, rng) * factor

    return wrong


# --- orthogonal ------------------------------------------------------------------


@fault("Haar: trace", law=ORTHOGONAL)
def qr_without_signs():
    def wrong(shape, rng):
        rows, columns = shape[0], int(np.prod(shape[1:]))
        gaussian = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q = np.linalg.qr(gaussian)[0]
        return (q.T if rows < columns else q).reshape(shape)

    return wrong


@fault("Haar", law=ORTHOGONAL)
def from_an_svd():
    def wrong(shape, rng):
        rows, columns = shape[0], int(np.prod(shape[1:]))
        left, _, right = np.linalg.svd(
            rng.standard_normal((rows, columns)), full_matrices=False
        )
        return (left if left.shape == (rows, columns) else right).reshape(shape)

    return wrong


@fault("two calls differ", law=ORTHOGONAL)
def identity_for_orthogonal():
    return (
        lambda shape, rng: np.eye(  # noqa: ARG005
            shape[0], int(np.prod(shape[1:]))
        ).reshape(shape)
    )


@fault("Haar|duplicate|zero", law=ORTHOGONAL)
def permutation_for_orthogonal():
    def wrong(shape, rng):
        rows, columns = shape[0], int(np.prod(shape[1:]))
        longer = rng.permutation(np.eye(max(rows, columns)))
        return longer[:rows, :columns].reshape(shape)

    return wrong


@fault("Haar", law=ORTHOGONAL)
def rotations_only():
    def wrong(shape, rng):
        weight = haar(shape, rng)
        square = len(shape) == 2 and shape[0] == shape[1]
        if square and np.linalg.det(weight) < 0:
            weight[0] *= -1
        return weight

    return wrong


@fault("Haar|duplicate", law=ORTHOGONAL)
def one_reflection():
    def wrong(shape, rng):
        rows, columns = shape[0], int(np.prod(shape[1:]))
        v = rng.standard_normal(max(rows, columns))
        full = np.eye(len(v)) - 2 * np.outer(v, v) / (v @ v)
        return full[:rows, :columns].reshape(shape)

    return wrong


@fault("Haar", law=ORTHOGONAL)
def signs_and_a_fixed_rotation():
    def wrong(shape, rng):
        fixed = haar(shape, np.random.default_rng(0)).reshape(shape[0], -1)
        rows, columns = fixed.shape
        signs = rng.choice([-1, 1], (rows, 1)), rng.choice([-1, 1], columns)
        return (signs[0] * fixed * signs[1]).reshape(shape)

    return wrong


@fault("Haar|same stream", law=ORTHOGONAL)
def qr_of_uniform_numbers():
    def wrong(shape, rng):
        rows, columns = shape[0], int(np.prod(shape[1:]))
        numbers = rng.uniform(-1, 1, (max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(numbers)
        q = q * np.sign(np.diagonal(r))
        return (q.T if rows < columns else q).reshape(shape)

    return wrong


@fault(r"std at|orthogonality", law=ORTHOGONAL)
def gaussian_for_orthogonal():
    def wrong(shape, rng):
        longer = max(shape[0], int(np.prod(shape[1:])))
        return rng.standard_normal(shape) / longer**0.5

    return wrong


@fault("orthogonality", law=ORTHOGONAL)
def gain_of_tall_ones_on_the_wrong_side():
    def wrong(shape, rng):
        columns = int(np.prod(shape[1:]))
        tall = shape[0] > columns
        return haar(shape, rng, (shape[0] / columns) ** 0.5 if tall else 1.0)

    return wrong


@fault("std at|orthogonality", law=ORTHOGONAL)
def wide_ones_cut_from_square_ones():
    def wrong(shape, rng):
        rows, columns = shape[0], int(np.prod(shape[1:]))
        if rows >= columns:
            return haar(shape, rng)
        # Columns of unit length instead of rows.
        weight = rng.standard_normal((rows, columns))
        return (weight / np.linalg.norm(weight, axis=0)).reshape(shape)

    return wrong


@fault("orthogonality|rank|std at", law=ORTHOGONAL)
def orthogonal_per_kernel_position():
    def wrong(shape, rng):
        if len(shape) == 2:
            return haar(shape, rng)
        weight = np.empty(shape)
        size = np.prod(shape[2:])
        for position in np.ndindex(*shape[2:]):
            weight[(..., *position)] = haar(shape[:2], rng) / size**0.5
        return weight

    return wrong


@fault("std at|orthogonality", law="orthogonal(gain=2)")
def gain_ignored():
    return lambda shape, rng: haar(shape, rng)


# --- 16 bits ---------------------------------------------------------------------


@fault("values at the bound|kurtosis|std|distinct", law=CUT, dtype="bfloat16")
def truncated_in_sixteen_bits():
    import ml_dtypes

    def wrong(shape, rng):
        short = ml_dtypes.bfloat16
        edge = 0.9545
        quantiles = rng.uniform(-edge, edge, shape).astype(short)
        weight = erfinv(quantiles.astype(np.float64)) * 2**0.5
        return np.clip(weight, -2, 2).astype(short)

    return wrong


@fault("values at the bound", law=CUT, dtype="float16")
def two_per_mille_moved_to_the_bound():
    def wrong(shape, rng):
        quantiles = rng.uniform(0.02275, 0.97725, shape)
        weight = ndtri(quantiles)
        stuck = rng.random(shape) < 0.002
        return np.where(stuck, np.copysign(2, weight), weight).astype(np.float16)

    return wrong


@fault("values at the bound|mean", law=UNIT_UNIFORM, dtype="float16")
def uniform_piled_up_at_the_bound():
    def wrong(shape, rng):
        weight = rng.uniform(-1, 1, shape)
        return np.where(np.abs(weight) > 0.998, np.copysign(1, weight), weight).astype(
            np.float16
        )

    return wrong


@fault("mean|distinct|values", law=UNIT_UNIFORM, dtype="bfloat16")
def uniform_of_256_values():
    import ml_dtypes

    def wrong(shape, rng):
        return (rng.integers(0, 256, shape) / 128 - 1).astype(ml_dtypes.bfloat16)

    return wrong


@fault("zero|std", law=Law(std=1e-8, distribution="normal"))
def underflow_to_zero():
    return lambda shape, rng: (rng.standard_normal(shape) * 1e-8).astype(np.float16)


@fault("finite", law=Law(std=4e4, distribution="normal"))
def overflow_of_sixteen_bits():
    def wrong(shape, rng):
        with np.errstate(over="ignore"):
            return (rng.standard_normal(shape) * 4e4).astype(np.float16)

    return wrong


# --- results ---------------------------------------------------------------------


@edited("shape at")
def transposed_result(weight, rng):  # noqa: ARG001
    return weight.swapaxes(0, 1)


@edited("type at")
def whole_numbers(weight, rng):  # noqa: ARG001
    return np.round(weight * 100).astype(int)


@edited("type at", dtype="float32")
def another_type_than_asked_for(weight, rng):  # noqa: ARG001
    return weight


@edited("finite weights")
def one_is_not_a_number(weight, rng):
    if rng.random() < 0.1:
        weight.flat[0] = np.nan
    return weight


@fault("two calls agree|std", law="zeros")
def noise_for_zeros():
    return lambda shape, rng: rng.standard_normal(shape) * 1e-3


# --- layers ----------------------------------------------------------------------


def layered(breaks, law=HE):
    """Enter a fault of a layer's fan: `f(layer) -> fan`."""

    def enter(fan):
        def make():
            return lambda layer, rng: (
                rng.standard_normal(layer.shape) * (2 / fan(layer)) ** 0.5
            )

        FAULTS[fan.__name__] = Fault(
            make=make, law=law, breaks=breaks, options={"layers": True}
        )
        return fan

    return enter


@layered("forward variance at .*transposed True")
def transposed_not_swapped(layer):
    return fans(layer.shape)[0]


@layered("forward variance at .*groups")
def groups_divide_again(layer):
    return taps(layer)[0] / layer.groups


@layered("forward variance at .*groups 36|forward variance at .*groups")
def depthwise_counts_all_channels(layer):
    depthwise = layer.groups == layer.shape[0] > 1
    return taps(layer)[0] * (layer.shape[0] if depthwise else 1)


@layered("forward variance at .*stride .*transposed")
def stride_of_transposed_ignored(layer):
    return taps(layer)[0] * (np.prod(layer.strides) if layer.transposed else 1)


@layered("forward variance at .*dilation")
def dilation_counted(layer):
    return taps(layer)[0] * np.prod(layer.dilations)


@layered("backward variance at .*groups", law=HE_BACKWARD)
def groups_ignored_backward(layer):
    return taps(layer)[1] * layer.groups


@layered("backward variance at .*stride", law=HE_BACKWARD)
def stride_ignored_backward(layer):
    strides = 1 if layer.transposed else np.prod(layer.strides)
    return taps(layer)[1] * strides


CORRECT_LAYERS: dict[str, tuple[Callable[..., Any], Law]] = {
    "he_for": (he_for, HE),
    "he_backward_for": (
        lambda layer, rng: (
            rng.standard_normal(layer.shape) * (2 / taps(layer)[1]) ** 0.5
        ),
        HE_BACKWARD,
    ),
}
assert LayerSpec(shape=(2, 2))


@fault("global random states")
def weights_from_python_s_global_stream():
    return lambda shape: (
        np.reshape([random.gauss(0, 1) for _ in range(np.prod(shape))], shape)
        * (2 / fans(shape)[0]) ** 0.5
    )


@fault("global random states")
def seeds_python_s_global_stream():
    def wrong(shape, rng):
        random.seed(4)
        return he(shape, rng)

    return wrong


# --- seen by thinking adversarially ----------------------------------------------


@edited("dependent units|sums of inputs")
def rows_share_one_percent(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    common = rng.standard_normal(weight.shape[1:]) * std
    return 0.99**0.5 * weight + 0.01**0.5 * common


@edited("dependent units", law=None)
def rows_share_a_third_and_no_law_is_stated(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    common = rng.standard_normal(weight.shape[1:]) * std
    return (2 / 3) ** 0.5 * weight + (1 / 3) ** 0.5 * common


def repeated(weight, period):
    flat = weight.reshape(-1)
    return np.resize(flat[:period], flat.size).reshape(weight.shape)


@edited("patterns|dependent")
def numbers_repeat_after_20011(weight, rng):  # noqa: ARG001
    return repeated(weight, 20_011)


@edited("distinct values")
def numbers_repeat_after_300007(weight, rng):  # noqa: ARG001
    return repeated(weight, 300_007)


@edited("zero inputs|values that are zero|widths of entries")
def one_entry_of_every_layer_is_zero(weight, rng):  # noqa: ARG001
    weight.flat[weight.size // 3] = 0
    return weight


@edited("sums of entries|widths of entries")
def one_entry_of_every_layer_is_the_same(weight, rng):  # noqa: ARG001
    weight.flat[weight.size // 3] = (2 / fans(weight.shape)[0]) ** 0.5
    return weight


@edited("widths of entries")
def one_entry_of_every_layer_is_half(weight, rng):  # noqa: ARG001
    weight.flat[weight.size // 3] *= 0.5
    return weight


@fault("dependent layers")
def every_second_layer_negates_the_one_before():
    last = [None, None]

    def wrong(shape, rng):
        weight = he(shape, rng)
        size = weight.size
        if last[0] is rng and last[1].shape != shape and last[1].size <= size:
            scale = weight.std() / last[1].std()
            weight.reshape(-1)[: last[1].size] = -last[1].reshape(-1) * scale
        last[:] = rng, weight.copy()
        return weight

    return wrong


@fault("overlapping draws|dependent layers|dependent draws")
def every_layer_begins_inside_the_one_before():
    last = [None, None]

    def wrong(shape, rng):
        unit = rng.standard_normal(shape)
        if last[0] is rng:
            tail = last[1].reshape(-1)[-50:]
            flat = unit.reshape(-1)
            flat[: len(tail)] = tail[: flat.size]
        last[:] = rng, unit
        return unit * (2 / fans(shape)[0]) ** 0.5

    return wrong


@fault("widths of layers")
def third_shape_of_a_stream_is_too_wide():
    seen = [None, []]

    def wrong(shape, rng):
        if seen[0] is not rng:
            seen[:] = rng, []
        seen[1].append(shape)
        distinct = len(set(seen[1]))
        return he(shape, rng) * (1.1 if distinct > 2 else 1)

    return wrong


@edited("widths of kernel")
def last_kernel_axis_tapers(weight, rng):  # noqa: ARG001
    if weight.ndim < 4:
        return weight
    taper = np.linspace(1.05, 0.95, weight.shape[-1])
    return weight * taper / np.sqrt(np.mean(taper**2))


@edited("widths of kernel|patterns")
def kernel_diagonal_heavier(weight, rng):  # noqa: ARG001
    if weight.ndim != 4 or weight.shape[2] != weight.shape[3]:
        return weight
    scale = 1 + 0.1 * np.eye(weight.shape[2])
    return weight * scale / np.sqrt(np.mean(scale**2))


@edited("distinct values|values|zero|duplicate|rank")
def quantised_to_a_thousandth(weight, rng):  # noqa: ARG001
    return np.round(weight, 3)


@edited("values at the bound|distinct values")
def sixteen_random_bits(weight, rng):
    bits = rng.integers(0, 2**16, weight.shape)
    return ndtri((bits + 0.5) / 2**16) * (2 / fans(weight.shape)[0]) ** 0.5


@edited("sums of units|rank|dependent")
def antithetic_neighbours(weight, rng):  # noqa: ARG001
    flat = weight.reshape(-1)
    half = flat.size // 2
    flat[1 : 2 * half : 2] = -flat[: 2 * half : 2]
    return flat.reshape(weight.shape)


@edited("dependent|sums|widths|patterns|rank|duplicate")
def antithetic_halves_of_rows(weight, rng):  # noqa: ARG001
    half = weight.shape[1] // 2
    weight[:, half : 2 * half] = -weight[:, :half]
    return weight


@edited("extremes|kurtosis")
def nothing_beyond_three_and_a_half(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    far = np.abs(weight) > 3.5 * std
    return np.where(far, rng.uniform(-1, 1, weight.shape) * std, weight)


@stated(r"std at shape \(24, 10, 9\)")
def wrong_axis_of_one_dimensional_kernels(shape):
    fan = shape[0] * shape[2] if len(shape) == 3 else fans(shape)[0]
    return (2 / fan) ** 0.5


@stated(r"std at shape \(16, 8, 7, 7\)")
def wrong_for_large_kernels(shape):
    return (2 / (shape[1] * min(np.prod(shape[2:]), 27))) ** 0.5


@edited("distribution|std|widths|sums|extremes")
def evenly_spread_numbers_shuffled(weight, rng):
    steps = rng.permutation(weight.size).reshape(weight.shape) + 0.5
    return ndtri(steps / weight.size) * (2 / fans(weight.shape)[0]) ** 0.5


@edited("widths of draws|std at|kurtosis")
def every_layer_scaled_to_the_very_std(weight, rng):  # noqa: ARG001
    return weight / weight.std() * (2 / fans(weight.shape)[0]) ** 0.5


@edited("widths of units|kurtosis|dependent")
def every_unit_scaled_to_the_very_norm(weight, rng):  # noqa: ARG001
    flat = weight.reshape(len(weight), -1)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    return (flat / norms * 2**0.5).reshape(weight.shape)


@edited("dependent")
def signs_of_rank_one(weight, rng):
    flat = np.abs(weight.reshape(len(weight), -1))
    rows = rng.choice([-1, 1], (len(flat), 1))
    return (flat * rows * rng.choice([-1, 1], flat.shape[1])).reshape(weight.shape)


@edited("widths of inputs|sums of inputs|dependent")
def sorted_units(weight, rng):  # noqa: ARG001
    return np.sort(weight.reshape(len(weight), -1), axis=1).reshape(weight.shape)


def drawn_instead(init):
    """Another entry of the catalog than the law's."""
    return lambda: lambda shape, rng: catalog.draw(init, shape, rng=rng)


def swapped(name, init, breaks, law, **options):
    FAULTS[name] = Fault(
        make=drawn_instead(init), law=law, breaks=breaks, options=options
    )


swapped(
    "torch's dialect for keras's",
    "he_normal(dialect=torch)",
    "bounds|kurtosis",
    "he_normal(dialect=keras)",
)
swapped(
    "keras's dialect for ours",
    "he_normal(dialect=keras)",
    "extremes|kurtosis",
    "he_normal",
)
swapped(
    "torch's fans for the layer's",
    "he_normal(dialect=torch)",
    "forward variance at .*transposed True",
    "he_normal",
    layers=True,
)
swapped(
    "torch's fans for the layer's, backward",
    "he_normal(dialect=torch, mode=fan_out)",
    "backward variance at ",
    "he_normal(mode=fan_out)",
    layers=True,
)
swapped(
    "packed gates orthogonal together only",
    "orthogonal(dialect=torch)",
    "orthogonality at .*packed 4",
    "orthogonal",
    layers=True,
)
swapped(
    "one embedding for another framework's",
    "glorot_uniform(dialect=keras)",
    "std at kind embedding",
    "keras_default",
    layers=True,
)
swapped(
    "orthogonal kernel for a delta",
    "orthogonal",
    "std at|zeros beside|orthogonality",
    "delta_orthogonal",
    accepts=lambda shape: len(shape) > 2 and shape[0] >= shape[1],
)
swapped(
    "orthogonal for mirrored",
    "orthogonal",
    "orthogonality|std at",
    "looks_linear",
)
swapped(
    "first layer mirrored on both sides",
    "looks_linear",
    "orthogonality|std at",
    "looks_linear(first=True)",
)


@fault(
    "zeros beside the centre",
    law="delta_orthogonal",
    accepts=lambda shape: len(shape) > 2 and shape[0] >= shape[1],
)
def delta_in_the_corner():
    def wrong(shape, rng):
        weight = np.zeros(shape)
        weight[(..., *[0] * (len(shape) - 2))] = haar(shape[:2], rng)
        return weight

    return wrong


@fault(
    "Haar",
    law="delta_orthogonal",
    accepts=lambda shape: len(shape) > 2 and shape[0] >= shape[1],
)
def delta_from_a_qr_without_signs():
    def wrong(shape, rng):
        weight = np.zeros(shape)
        q = np.linalg.qr(rng.standard_normal(shape[:2]))[0]
        weight[(..., *[n // 2 for n in shape[2:]])] = q
        return weight

    return wrong


@fault("orthogonality|std at|rank|Haar", law=ORTHOGONAL)
def orthogonal_in_its_first_64_rows_only():
    def wrong(shape, rng):
        weight = haar(shape, rng).reshape(shape[0], -1)
        rest = weight[64:]
        if len(weight) < weight.shape[1] and rest.size:
            rows = rng.standard_normal(rest.shape)
            rest[:] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return weight.reshape(shape)

    return wrong


def sparse(zero):
    def wrong(shape, rng):
        weight = 0.01 * rng.standard_normal(shape)
        flat = weight.reshape(shape[0], -1)
        zero(flat, -(-shape[0] // 2), rng)
        return flat.reshape(shape)

    return wrong


@fault("zeros of inputs|std at", law="sparse")
def zeros_by_the_toss_of_a_coin():
    def zero(flat, count, rng):
        flat[rng.random(flat.shape) < count / len(flat)] = 0

    return sparse(zero)


@fault("zeros of units|zeros' places|kurtosis|std", law="sparse")
def the_same_zeros_in_every_column():
    def zero(flat, count, rng):
        flat[rng.permutation(len(flat))[:count]] = 0

    return sparse(zero)


@fault("zeros' places|zeros of units", law="sparse")
def zeros_in_a_row_from_a_random_start():
    def zero(flat, count, rng):
        starts = rng.integers(len(flat), size=flat.shape[1])
        index = np.arange(len(flat))[:, None] - starts
        flat[index % len(flat) < count] = 0

    return sparse(zero)


@layered("backward variance at .*packed", law=HE_BACKWARD)
def packed_matrices_counted_together(layer):
    return taps(layer)[1] * layer.packed


# --- what no sample of this size can tell -----------------------------------------

# Not found, and told in docs/conformance.md: {name: (maker, law)}.
UNSEEN: dict[str, tuple[Callable[[], Callable[..., Any]], Any]] = {}


def unseen(law=HE):
    """Enter a fault that the suite does not find: `f(weight, rng) -> weight`."""

    def enter(edit):
        UNSEEN[edit.__name__] = (
            lambda: lambda shape, rng: edit(he(shape, rng), rng),
            law,
        )
        return edit

    return enter


@unseen()
def nothing_beyond_four_and_a_half(weight, rng):
    std = (2 / fans(weight.shape)[0]) ** 0.5
    far = np.abs(weight) > 4.5 * std
    return np.where(far, rng.uniform(-1, 1, weight.shape) * std, weight)


@unseen()
def every_third_sign_is_the_product_of_two(weight, rng):  # noqa: ARG001
    flat = weight.reshape(len(weight), -1)
    last = flat.shape[1] // 3 * 3
    signs = np.sign(flat[:, 0:last:3] * flat[:, 1:last:3])
    flat[:, 2:last:3] = signs * np.abs(flat[:, 2:last:3])
    return flat.reshape(weight.shape)


@unseen(law=None)
def rows_share_one_percent_and_no_law_is_stated(weight, rng):
    return rows_share_one_percent(weight, rng)


@unseen()
def half_a_percent_too_wide(weight, rng):  # noqa: ARG001
    return 1.005 * weight


@unseen()
def wrong_for_more_than_a_million_weights(weight, rng):  # noqa: ARG001
    return weight * (2 if weight.size > 1_500_000 else 1)


@unseen()
def one_call_in_a_hundred_thousand_is_zero(weight, rng):
    return weight * (rng.random() > 1e-5)
