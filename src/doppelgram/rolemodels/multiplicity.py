"""What many tests at once leave of their p-values."""

from __future__ import annotations

import numpy as np

from doppelgram.rolemodels.scoring import Float64

# P-values above this tell how many of the hypotheses that nothing happened are true.
_UPPER = 0.5


def corrected(p_value: Float64) -> Float64:
    """The false discovery rate at which each hypothesis would just be rejected (Benjamini and Hochberg 1995), (n,)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p_value)) if len(p_value) else np.empty(0)


def adaptive_q(p_value: Float64) -> Float64:
    """Benjamini and Hochberg's false discovery rates times the estimated share of true hypotheses, (n,).

    The share is ``(1 + #{p > 1/2}) / (n / 2)``, at most 1; with it the rate is still kept for independent tests
    (Storey, Taylor and Siegmund, Journal of the Royal Statistical Society B 66, 2004). Where most arrangements
    spread, plain rates would be too large by that factor. No q is below its p: a test that alone shows nothing shows
    nothing here. Nor is any below the p-value of all together, by Fisher's sum of -2 log p: which arrangements spread
    is asked only after whether any does.
    """
    from scipy.stats import chi2

    if not len(p_value):
        return np.empty(0)
    share = min(1.0, (1 + (p_value > _UPPER).sum()) / (_UPPER * len(p_value)))
    together = float(chi2.sf(-2 * np.log(p_value).sum(), 2 * len(p_value)))
    return np.asarray(np.maximum(np.maximum(p_value, together), share * corrected(p_value)))
