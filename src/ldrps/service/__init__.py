"""The service: what programs ask of `ldrps serve`, over HTTP. Beside the page it shares the process that restores."""
