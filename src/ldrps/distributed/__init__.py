"""Millions of pictures, in folders or object storage, by the machines of a cluster: on Ray Data.

`running.py` is the run, start reading there; the others know nothing of Ray.
"""
