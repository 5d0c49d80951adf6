"""Rules of alerts and the states they go through: pure, by the time of the bars alone."""

from analytics.alerts.check import check_rule
from analytics.alerts.level import level_of
from analytics.alerts.preview import Preview, PreviewEvent, preview
from analytics.alerts.rule import (
    CROSSES,
    PAIR_WHENS,
    READING_WHENS,
    TESTS_WHENS,
    WHENS,
    AlertRule,
    Crosses,
    RuleState,
    When,
)
from analytics.alerts.sample import Sample
from analytics.alerts.step import Step, rested, step
from analytics.alerts.template import FIELDS
from analytics.alerts.words import words

__all__ = [
    "CROSSES",
    "FIELDS",
    "PAIR_WHENS",
    "READING_WHENS",
    "TESTS_WHENS",
    "WHENS",
    "AlertRule",
    "Crosses",
    "Preview",
    "PreviewEvent",
    "RuleState",
    "Sample",
    "Step",
    "When",
    "check_rule",
    "level_of",
    "preview",
    "rested",
    "step",
    "words",
]
