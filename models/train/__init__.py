"""Photographs and seeds -> the models of bonafide, and their figures: see README.md."""
