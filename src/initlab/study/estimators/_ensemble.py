"""What classifier and regressor share: fitting members, and asking them one by one."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from initlab import engine as engines
from initlab import problems
from initlab.errors import InvalidValueError
from initlab.spec import MLP, Problem, Study
from initlab.study._estimate import as_threads
from initlab.study._start import Starts


class MembersMixin(BaseEstimator):  # type: ignore[misc]
    """Members of one init, trained side by side on the same examples.

    scikit-learn's convention rules here: parameters are kept as they are given, and
    judged in `fit`.
    """

    def __init__(
        self,
        *,
        init: Any = "he_normal",
        members: int = 10,
        hidden_layer_sizes: tuple[int, ...] = (10, 5),
        activation: str = "relu",
        batch_norm: bool = False,
        optimizer: str = "adam",
        learning_rate: float = 0.01,
        batch_size: int | None = None,
        steps: int = 500,
        precision: str = "float64",
        engine: str = "auto",
        threads: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.init = init
        self.members = members
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.batch_norm = batch_norm
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.steps = steps
        self.precision = precision
        self.engine = engine
        self.threads = threads
        self.random_state = random_state

    def _fit_members(
        self,
        X: Float[np.ndarray, "example feature"],
        y: np.ndarray,
        targets: np.ndarray,
        loss: str,
    ) -> Self:
        """Train every member on targets `(example, output)`, which are y's."""
        problem = Problem.of_arrays(X, y, test_fraction=0)
        widths = (X.shape[1], *self._hidden(), targets.shape[1])
        study = self._study(problem, widths, loss)
        if study.batch_size is not None and study.batch_size > len(X):
            raise InvalidValueError(
                f"at most the {len(X)} training examples, got {study.batch_size}",
                argument="batch_size",
            )
        threads = as_threads(self.threads)
        if self.engine not in ("auto", *engines.ENGINES):
            raise InvalidValueError(
                f"one of auto, {', '.join(engines.ENGINES)}, got {self.engine!r}",
                argument="engine",
            )
        starts = Starts(study, {})
        engine = self.engine
        if engine == "auto":
            engine = engines.quickest(study, study.members, len(X))
        order = problems.shuffled_rows(problem, len(X))
        X, targets = X[order], targets[order]
        bare = study.model_copy(update={"inits": ()})
        examples = engines.Examples(
            train_x=X, train_y=targets, test_x=X[:0], test_y=targets[:0],
            is_classification=loss != "mean_squared_error",
        )  # fmt: skip
        histories = engines.train_ensemble(
            bare, starts, examples, engine=engine, threads=threads
        )
        self.study_ = study
        self.engine_ = engine
        self.steps_ = np.array(study.recorded_steps)
        self.loss_curves_ = np.stack([history.loss for history in histories])
        self.diverged_steps_ = np.array([each.diverged_step for each in histories])
        self._networks = [(each.parameters, each.running) for each in histories]
        return self

    def _study(self, problem: Problem, widths: tuple[int, ...], loss: str) -> Study:
        seed = int(check_random_state(self.random_state).randint(2**31))
        return Study(
            problem=problem,
            network=MLP(
                widths=widths, activation=self.activation, batch_norm=self.batch_norm
            ),
            inits=(self.init,),
            members=self.members,
            loss=loss,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            precision=self.precision,
            steps=self.steps,
            seed=seed,
            seeding="stream",
        )

    def _hidden(self) -> tuple[int, ...]:
        given = self.hidden_layer_sizes
        sizes = (given,) if isinstance(given, Integral) else tuple(given)
        for size in sizes:
            if not isinstance(size, Integral) or size < 1:
                raise InvalidValueError(
                    f"positive whole numbers, as in (10, 5), got {given!r}",
                    argument="hidden_layer_sizes",
                )
        return tuple(int(size) for size in sizes)

    def _outputs(self, X: Any) -> Float[np.ndarray, "member example output"]:
        """Return what the members that did not diverge put out, last layer's sums."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        trained = [
            network
            for network, step in zip(self._networks, self.diverged_steps_, strict=True)
            if step < 0
        ]
        if not trained:
            raise InvalidValueError(
                f"each of the {len(self._networks)} members diverged "
                f"at {self.learning_rate}; lower it, or change init",
                argument="learning_rate",
            )
        with engines.one_blas_thread():
            return np.stack(
                [
                    engines.Reference(self.study_, parameters, running).forward(
                        X.astype(self.precision), training=False
                    )
                    for parameters, running in trained
                ]
            ).astype(np.float64)
