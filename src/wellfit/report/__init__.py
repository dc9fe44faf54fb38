"""History, findings and scores become one self-contained page and a model card."""

from wellfit.report.card import render_card
from wellfit.report.evaluation import summarize_predictions
from wellfit.report.facts import ReportFacts
from wellfit.report.page import render_page

__all__ = ["ReportFacts", "render_card", "render_page", "summarize_predictions"]
