"""Paired ratios: what the product does against what one would write otherwise. `python -m tests.benchmarks`."""
