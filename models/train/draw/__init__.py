"""Seeds -> made-up documents, scenes, lines of print and what lies over them; the same seed gives the same picture."""
