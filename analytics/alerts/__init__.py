"""Rules of alerts and the states they go through: pure, by the time of the bars alone."""

from analytics.alerts.rule import AlertRule, RuleState

__all__ = ["AlertRule", "RuleState"]
