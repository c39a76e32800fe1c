"""One job, one pool of workers, one way to stop: for a file, a folder, the page and the benchmark."""
