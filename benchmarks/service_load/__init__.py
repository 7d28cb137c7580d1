"""What the benchmarks of the service share: servers and clients in processes of their own."""
