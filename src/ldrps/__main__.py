"""`python -m ldrps` is `ldrps`."""

from ldrps.cli import main

if __name__ == "__main__":  # the benchmark's workers import it too
    main()
