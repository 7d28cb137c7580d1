"""What things are: the expression graph, hardware, LLM architectures, latency, profiles, workloads."""
