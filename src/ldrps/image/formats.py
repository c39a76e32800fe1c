"""What our files are called. Free of torch and Pillow, so that a mistake in a name is told at once."""

# The formats that are written, in Pillow's words, by their suffixes.
FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    # The same by other names: a result is called as its picture is.
    ".jpe": "JPEG",
    ".jif": "JPEG",
    ".jfif": "JPEG",
    ".mpo": "JPEG",
    ".apng": "PNG",
    ".avifs": "AVIF",
    ".dib": "BMP",
}

WITH_QUALITY = ("JPEG", "WEBP", "AVIF")  # of these, the formats that ask for one
BILEVEL = ("PNG", "TIFF", "BMP")  # and those that can hold one bit a pixel

PARTIAL_PREFIX = ".ldrps-partial-"  # of a file that is being written
ALPHA = "alpha"  # in place of the file of a mask: what of the picture is transparent
