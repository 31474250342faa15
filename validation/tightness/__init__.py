"""How tight the corrected Theorem 3 and Theorem 4 are: errors over bounds, on designs where the
conditions hold, for aimed noise too.

Run as `python -m validation.tightness`; writes validation/results/tightness.json.
"""
