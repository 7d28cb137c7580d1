"""Closing the loop: steps of real-shaped layers, predicted from a profile and measured."""
