"""Folders of pictures: found, restored once each by one process or several, and gone on with after any interruption."""
