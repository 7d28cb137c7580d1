"""One file a measurement. `profiler.registry` finds them; nothing else needs to know."""
