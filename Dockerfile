# ldrps in a container: the page, or any other command of ldrps behind the name of the image.
#
#   docker build -t ldrps .                                # torch for CPUs
#   docker build -t ldrps:cuda --build-arg TORCH=cu130 .   # or another backend that uv knows
#   docker run --rm -p 127.0.0.1:7860:7860 ldrps
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" ldrps restore PHOTOS -r -o restored
#
# Nothing is fetched when it runs: the weights are in the package.

FROM python:3.11-slim-bookworm AS build
ARG TORCH=cpu
ARG UV=0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir "uv==${UV}" && uv venv /opt/ldrps
ENV VIRTUAL_ENV=/opt/ldrps
WORKDIR /build
# What ldrps stands on is a layer of its own: it stays as it is when the code changes.
COPY pyproject.toml constraints.txt ./
RUN uv pip install --torch-backend "${TORCH}" --constraints constraints.txt \
    --requirements pyproject.toml --extra serve --extra heif --extra caption
COPY README.md LICENSE LICENSE-WEIGHTS.md ./
COPY samples samples
COPY src src
RUN uv pip install --no-deps --build-constraints constraints.txt .

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="ldrps" \
      org.opencontainers.image.description="Restores damaged photographs without being told what is wrong with them." \
      org.opencontainers.image.licenses="Apache-2.0 AND LicenseRef-noncommercial-research-and-education" \
      org.ldrps.terms="The weights that ship with ldrps were trained on photographs given for non-commercial research and education, and are for that alone; its code is Apache-2.0."
COPY --from=build /opt/ldrps /opt/ldrps
# Whoever it runs as, also a number without a name, may keep captions and what comes from a hub.
RUN useradd --uid 10001 --create-home ldrps && install -d -m 1777 /cache /work
ENV PATH=/opt/ldrps/bin:$PATH \
    LDRPS_CACHE=/cache \
    HF_HOME=/cache/huggingface \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /work
VOLUME ["/work", "/cache"]
EXPOSE 7860
# Of the page; a command that ends needs none (--no-healthcheck).
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 7860, timeout=8); c.request('GET', '/'); raise SystemExit(c.getresponse().status >= 500)"]
ENTRYPOINT ["ldrps"]
CMD ["serve", "--host", "0.0.0.0"]
