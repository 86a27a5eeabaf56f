"""An open benchmark of tools that judge a network's starting weights.

    PYTHONPATH=benchmarks python -m check            # or: make bench-check
    PYTHONPATH=benchmarks python -m check --manifest # the planted faults as JSON lines

Healthy models (`healthy.py`), faults planted in them (`faults.py`), tools behind one
interface (`tools.py`), and how they are scored (`score.py`). It needs torch and
nothing of initlab, unless initlab is among the tools.
"""
