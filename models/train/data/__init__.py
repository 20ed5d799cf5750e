"""Photographs -> what the nets learn from and are measured on."""
