"""The eval suite: runs cases through the product's own pipeline, and nothing deeper.

`evaluate` is all that a caller needs; `carry_out` does the same by a plan, `perform` all that `bri-qa eval` does;
`compare` holds one saved run against another, and `baseline_of` turns the summary of a run into a baseline file.
"""

from bri_qa.evaluation.command import Result, perform
from bri_qa.evaluation.compare import Comparison, Policy, compare
from bri_qa.evaluation.gate import baseline_of
from bri_qa.evaluation.outcome import Outcome, Plan, carry_out, evaluate
from bri_qa.evaluation.run import Pipeline, Progress

__all__ = [
    "Comparison",
    "Outcome",
    "Pipeline",
    "Plan",
    "Policy",
    "Progress",
    "Result",
    "baseline_of",
    "carry_out",
    "compare",
    "evaluate",
    "perform",
]
