"""Claims examined: their studies run, their answers and pictures written."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from initlab.errors import InvalidValueError, UnknownNameError
from initlab.lesson._answers import write_answer
from initlab.lesson.claims import CLAIMS, MEMBERS, Answer, Claim, Results
from initlab.study import run

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A claim with what was measured.

    Attributes:
        claim: The claim.
        answer: What became of it.
        results: The datasets that say so.
    """

    claim: Claim
    answer: Answer
    results: Results

    def as_json(self) -> dict[str, Any]:
        """Return the answer as JSON-able values."""
        return {
            "name": self.claim.name,
            "statement": self.claim.statement,
            **asdict(self.answer),
            "studies": {
                name: {"spec": found.attrs["spec"], "engine": found.attrs["engine"]}
                for name, found in self.results.items()
            },
        }


def examine(
    names: Sequence[str] = (),
    *,
    members: int = MEMBERS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterable[Examined]:
    """Yield one claim after another with its answer.

    With the reference engine and 200 members all of them take about half an hour of
    two processor cores.

    Args:
        names: Which claims; none: all.
        members: Networks per init, from legacy seeds 0, 1, ...
        threads: Networks trained at a time.
        progress: Told steps done and in all, over all claims.

    Raises:
        UnknownNameError: If there is no claim of that name.
        InvalidValueError: If there are too few members for any interval.
    """
    for name in names:
        if name not in CLAIMS:
            raise UnknownNameError("claim", name, CLAIMS)
    if members < 1:
        raise InvalidValueError(
            f"must be at least 1, got {members}", argument="members"
        )
    claims = [CLAIMS[name] for name in names or CLAIMS]
    planned = [claim.studies(members) for claim in claims]
    total = sum(
        study.steps * study.members * len(study.inits)
        for studies in planned
        for study in studies.values()
    )
    done = 0

    def tell(steps: int, _: int) -> None:
        if progress is not None:
            progress(done + steps, total)

    for claim, studies in zip(claims, planned, strict=True):
        results = {}
        for name, study in studies.items():
            results[name] = run(study, threads=threads, progress=tell)
            done += study.steps * study.members * len(study.inits)
        yield Examined(claim=claim, answer=claim.answer(results), results=results)


def write_pictures(examined: Examined, folder: Path) -> list[Path]:
    """Write a claim's picture as PNG and SVG, and its numbers as JSON."""
    claim = examined.claim
    return write_answer(
        claim.name, lambda: claim.draw(examined.results), examined.as_json(), folder
    )
