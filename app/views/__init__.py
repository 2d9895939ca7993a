"""Reusable views: a Python class, an HTML template and an ES module each (`view.py` says how to make one)."""
