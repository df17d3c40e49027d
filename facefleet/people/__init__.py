"""Faces to clusters to people, and what people decided about them."""
