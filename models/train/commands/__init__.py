"""Options -> what a person runs: one file for each command."""
