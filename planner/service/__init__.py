"""Plans over gRPC: the server, what it answers with, and the workers that solve."""
