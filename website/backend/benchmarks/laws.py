"""How often the fitted law of practice is the one that a simulated learner follows, by number of scores and noise."""

import numpy as np

from benchmarks.report import Report
from skill_arcade.analysis.learning_laws import Law
from tests.support.learners import N_LEARNERS, simulate

CONDITIONS = ((50, 0.1), (50, 0.25), (50, 1.0), (150, 0.1), (150, 0.25), (150, 1.0))
"""Scores per learner, and standard deviation of the noise over the gain."""


def run() -> Report:
    """Fit the learners of every law in every condition."""
    report = Report("laws", ("scores", "noise / gain", *(f"{law}, share right" for law in Law)))
    report.facts["learners for each law"] = N_LEARNERS
    for n, noise in CONDITIONS:
        right = [float(np.mean([fit.best.law is law for fit in simulate(law, n, noise)])) for law in Law]
        report.add(n, noise, *right)
    return report
