"""Tests mirror the tree; flows, properties, architecture, browser, faults and benchmarks stand beside it."""
