"""Rules of alerts and the states they go through: pure, by the time of the bars alone."""

from analytics.alerts.check import check_rule
from analytics.alerts.level import level_of
from analytics.alerts.preview import Preview, PreviewEvent, preview
from analytics.alerts.rule import CROSSES, PAIR_WHENS, WHENS, AlertRule, RuleState
from analytics.alerts.sample import Sample
from analytics.alerts.step import Step, step
from analytics.alerts.template import FIELDS
from analytics.alerts.words import words

__all__ = [
    "CROSSES",
    "FIELDS",
    "PAIR_WHENS",
    "WHENS",
    "AlertRule",
    "Preview",
    "PreviewEvent",
    "RuleState",
    "Sample",
    "Step",
    "check_rule",
    "level_of",
    "preview",
    "step",
    "words",
]
