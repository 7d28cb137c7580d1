"""Measured serving results against our predictions: rows, harness, calibration, error tables."""
