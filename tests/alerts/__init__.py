"""Tests of what is happening: own samples, and the recorded payloads of ../shared where they are."""
