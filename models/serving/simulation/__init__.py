"""The engine simulator's compiled parts: what a step costs, the block cache, the queues, the loop."""
