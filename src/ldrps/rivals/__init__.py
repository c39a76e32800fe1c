"""The systems that the paper compares with: `rival` is their contract, `registry` their list.

Importing this loads no torch.
"""
