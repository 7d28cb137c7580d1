"""Other people's measurements as profiles; each module reads one source's files and nothing else."""
