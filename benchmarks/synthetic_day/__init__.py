"""A synthetic day of traffic, a simulated fleet that serves it, and ways to run that fleet."""
