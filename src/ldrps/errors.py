"""The errors that ldrps raises on purpose. Each message names the value, the limit and the remedy."""


class LdrpsError(Exception):
    """Base of all errors that are the caller's to mend; the command line prints them without a traceback."""


class InputError(LdrpsError, ValueError):
    """An image, a file or an argument that cannot be used."""


class OutputError(LdrpsError, OSError):
    """A result that cannot be written; whatever stood at its place before is untouched."""


class PriorError(LdrpsError):
    """A prior (model folder or hub id) that cannot be loaded or lacks what was asked of it."""


class SettingsError(LdrpsError, ValueError):
    """A setting outside its range."""


class CaptionError(LdrpsError):
    """A captioner has no usable answer for a picture; another may be asked, or the picture restored without one."""
