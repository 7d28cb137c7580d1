"""What several formats need: words of a command, versions of engines, pods."""
