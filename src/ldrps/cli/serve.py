"""`ldrps serve`: a page in the browser, and the same for programs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ldrps.cli.options import DeviceOption, DtypeOption, PriorOption, check_dtype
from ldrps.cli.stopping import stoppable
from ldrps.cli.terminal import say
from ldrps.errors import SettingsError
from ldrps.prior import AUTO, EMBEDDED, check_prior
from ldrps.prior.device import check_device
from ldrps.serve.address import AUTH_VARIABLE, check_address, parse_auth, warning
from ldrps.service.tokens import check_tokens, tokens_of, warning_of_service

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
    page: Annotated[bool, typer.Option("--page/--no-page", help="Whether there is a page beside the service.")] = True,
    token: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKEN",
            help="Let programs in that have one of these, each its own jobs; more in LDRPS_TOKENS, which is safer.",
        ),
    ] = None,
    jobs_folder: Annotated[
        Path | None, typer.Option(help="Keep jobs of programs here, so that they outlive the server.")
    ] = None,
    keep: Annotated[float, typer.Option(min=1, help="Seconds for which a job of a program is kept once done.")] = 3600,
    max_seconds: Annotated[float, typer.Option(min=1, help="What takes a program's picture longer is refused.")] = 600,
) -> None:
    """Show a page on which pictures are restored, and take them from programs, until Ctrl-C. Nothing leaves this
    machine unless --share says so.
    """
    login = parse_auth(auth)
    if share and not page:
        raise SettingsError("--share publishes the page, and --no-page leaves it out: leave one of the two out")
    tokens = tokens_of(token or ())
    check_tokens(tokens)
    text = warning(host, login, share) if page else warning_of_service(host, tokens)
    if text:
        say(text)
    check_address(host, port)
    check_dtype(dtype)
    check_device(device)
    check_prior(prior)
    from ldrps.serve.app import Address
    from ldrps.serve.limits import Limits
    from ldrps.serve.work import Loader
    from ldrps.service.limits import Limits as ServiceLimits
    from ldrps.service.running import Options, running

    limits = Limits(pixels=max_pixels, upload=max_upload * _MIB, waiting=max_waiting)
    for_programs = ServiceLimits(
        bytes=max_upload * _MIB, pixels=max_pixels, waiting=max_waiting, keep=keep, work=max_seconds
    )
    options = Options(for_programs, tuple(tokens), jobs_folder, page)
    address = Address(host, port, login, share)
    with stoppable(), running(Loader(prior, device, dtype), limits, address, options, quick=prior == EMBEDDED) as url:
        if page:
            say(f"the page is at {url}; Ctrl-C ends it")
        say(f"programs find {url.rstrip('/')}/v1, described at {url.rstrip('/')}/docs")
        while True:
            time.sleep(1)  # requests are answered by other threads
