"""What can be checked without photographs: `pytest models/train`."""
