"""Tests of the statistics of the vendors' work."""
