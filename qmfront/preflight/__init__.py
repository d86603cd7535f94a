"""Tests of a reference model before it is trusted: derivatives, noise, locality, and the price of a call."""
