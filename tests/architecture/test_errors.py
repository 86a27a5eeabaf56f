"""Every exception of the package goes through a pool of processes as it is."""

import importlib
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import initlab
from initlab.cli._stopped import StoppedError
from initlab.errors import InitlabError, UnknownNameError
from initlab.lesson.grader._findings import Finding
from initlab.lesson.grader.network._calls import FaultError
from initlab.testing._report import BrokenPropertyError

# What those are made of that take more than a message.
MADE_OF = {
    FaultError: (Finding(check="raises", expected="a return", got="an exception"),),
    StoppedError: ("stopped; 3 shards are kept", 130),
    UnknownNameError: ("init", "he_norml", ["zeros", "he_normal"]),
}
# It survives too, but not where types are checked as here: pickle makes it of its
# message first. The conformance suite's sources are what a published digest is of.
NOT_HERE = {BrokenPropertyError}


def every_error():
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(initlab.__path__, "initlab.")
        if not module.name.endswith("__main__")
    ]
    return {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, BaseException)
        and each.__module__ == module.__name__
    }


def test_every_error_survives_pickle_with_message_and_attributes():
    errors = every_error() - NOT_HERE

    assert set(MADE_OF) < errors
    for kind in errors:
        error = kind(*MADE_OF.get(kind, ("it is so, and not otherwise",)))
        again = pickle.loads(pickle.dumps(error))

        assert type(again) is kind
        assert (str(again), vars(again)) == (str(error), vars(error))


def test_what_an_error_is_about_goes_with_it():
    for kind in every_error() - NOT_HERE - set(MADE_OF):
        if not issubclass(kind, InitlabError):
            continue
        about = {"argument": "widths", "part": ".0", "use": ("engine", ("wide",))}
        error = kind("at least 1, got 0", **about)

        again = pickle.loads(pickle.dumps(error))

        assert str(again) == "widths.0: at least 1, got 0; use engine='wide'"
        assert {name: getattr(again, name) for name in about} == about


def test_a_refusal_in_a_pool_of_processes_arrives_and_breaks_nothing():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        refused = pool.submit(initlab.spec.Init.parse, "he_norml")

        with pytest.raises(UnknownNameError, match="Did you mean 'he_normal'"):
            refused.result()
        assert pool.submit(int).result() == 0
