"""Claims: predictions, records of seeds, verdicts."""

from attnbook.claims.claim import Claim
from attnbook.claims.prediction import Prediction, band, interval

__all__ = ["Claim", "Prediction", "band", "interval"]
