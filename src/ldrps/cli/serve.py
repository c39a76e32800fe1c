"""`ldrps serve`: a page in the browser."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ldrps.cli.options import DeviceOption, DtypeOption, PriorOption, check_dtype
from ldrps.cli.stopping import stoppable
from ldrps.cli.terminal import say
from ldrps.prior import AUTO, EMBEDDED, check_prior
from ldrps.prior.device import check_device
from ldrps.serve.address import AUTH_VARIABLE, check_address, parse_auth, warning

_MIB = 2**20


def serve(
    host: Annotated[str, typer.Option(help="The interface to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 7860,
    auth: Annotated[
        str,
        typer.Option(
            metavar="USER:PASSWORD",
            envvar=AUTH_VARIABLE,
            show_envvar=True,
            help="Ask for these. Others on this machine can read a command line: the variable is safer.",
        ),
    ] = "",
    prior: PriorOption = "embedded",
    device: DeviceOption = "cpu",
    dtype: DtypeOption = AUTO,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures are refused.")] = 50_000_000,
    max_upload: Annotated[int, typer.Option(min=1, help="Larger files are refused, in MiB.")] = 100,
    max_waiting: Annotated[int, typer.Option(min=0, help="Further requests are refused.")] = 16,
    share: Annotated[
        bool, typer.Option("--share", help="Also publish the page under a link, through Gradio's servers.")
    ] = False,
) -> None:
    """Show a page on which pictures are restored, until Ctrl-C. Nothing leaves this machine unless --share says so."""
    login = parse_auth(auth)
    text = warning(host, login, share)
    if text:
        say(text)
    check_address(host, port)
    check_dtype(dtype)
    check_device(device)
    check_prior(prior)
    from ldrps.serve.app import Address, running
    from ldrps.serve.limits import Limits
    from ldrps.serve.work import Loader

    limits = Limits(pixels=max_pixels, upload=max_upload * _MIB, waiting=max_waiting)
    with (
        stoppable(),
        running(
            Loader(prior, device, dtype), limits, Address(host, port, login, share), quick=prior == EMBEDDED
        ) as url,
    ):
        say(f"the page is at {url}; Ctrl-C ends it")
        while True:
            time.sleep(1)  # requests are answered by other threads
