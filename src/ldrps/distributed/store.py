"""Folders, of this machine or in object storage, behind one face: fsspec's."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ldrps.errors import InputError, OutputError, how_to_install
from ldrps.image.files import partial_name, replace_file

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

LOCAL = "file"
_NEEDS = {LOCAL: "", "s3": "pyarrow", "gs": "pyarrow", "sftp": "paramiko"}  # what each takes beside fsspec
_BY_ARROW = ("s3", "gs")  # Ray brings Arrow with it, which knows these; fsspec by itself would need packages of its own
_OBJECTS = ("s3", "gs", "memory")  # where what is put is there when it is whole, and files have no other names
_SCHEME = re.compile(r"([a-z][a-z\d+.-]+)://", re.IGNORECASE)  # of two letters or more: C:\ is a disk


def is_url(text: str) -> bool:
    """Whether a text is the address of a folder or file, not a path."""
    return _SCHEME.match(text) is not None


@dataclass(frozen=True)
class Store:
    """A folder, by its URL without a slash at the end; plain data that can be sent to other machines.

    Errors of what is below it are `InputError` where it is read and `OutputError` where it is written, each with the
    URL and what the system or the service said.
    """

    url: str

    @classmethod
    def of(cls, text: str) -> Store:
        """The folder that a path or a URL names.

        Raises:
            InputError: a URL of a kind that is not known, or that tells a password.
        """
        if not is_url(text):
            return cls(Path(os.path.abspath(text)).as_uri())
        parts = urlsplit(text)
        if parts.scheme.lower() not in _NEEDS:
            known = ", ".join(f"{each}://" for each in _NEEDS)
            raise InputError(f"{parts.scheme}:// is none of {known}: copy the pictures to one of these")
        if parts.password is not None:
            raise InputError(
                f"the address of {parts.hostname} has a password in it, which would be written down with the results: "
                "give it by the environment or a key"
            )
        return cls(text.rstrip("/"))

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return Store, (self.url,)  # what reads and writes there is made anew on each machine

    @property
    def scheme(self) -> str:
        return self.url.partition(":")[0].lower()

    @property
    def path(self) -> Path | None:
        """Where it is on this machine; None where it is elsewhere."""
        return Path(unquote(urlsplit(self.url).path)) if self.scheme == LOCAL else None

    @cached_property
    def files(self) -> AbstractFileSystem:
        """What lists, reads and writes there.

        Raises:
            InputError: the package that it takes is not installed, or its address is none.
        """
        try:
            if self.scheme in _BY_ARROW:
                return self._by_arrow()
            import fsspec

            return fsspec.url_to_fs(self.url, use_listings_cache=False)[0]
        except ImportError as error:
            package = _NEEDS.get(self.scheme, "")
            raise InputError(
                f"{self.scheme}:// needs what is not installed ({error}): pip install fsspec {package}".rstrip()
            ) from error
        except Exception as error:  # of the service's own kinds
            raise InputError(f"{self.url} cannot be reached ({in_short(error)}): check it") from error

    def _by_arrow(self) -> AbstractFileSystem:
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow.fs import FileSystem, S3FileSystem

        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if self.scheme == "s3" and region:
            # As Amazon's own tools read it; Arrow alone does not.
            told = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            scheme, _, endpoint = told.rpartition("://") if told else ("", "", None)
            files = S3FileSystem(region=region, endpoint_override=endpoint, scheme=scheme or "https")
        else:  # which asks Amazon where the bucket is
            files = FileSystem.from_uri(f"{self.scheme}://{urlsplit(self.url).netloc}")[0]
        return ArrowFSWrapper(files, skip_instance_cache=True)

    @cached_property
    def root(self) -> str:
        """What `files` calls it."""
        if self.path is not None:
            return str(self.path)
        if self.scheme in _BY_ARROW:
            return self.url.partition("://")[2]
        return str(self.files._strip_protocol(self.url)).rstrip("/")

    def at(self, key: str) -> str:
        """What `files` calls what lies below it under a key, which has slashes."""
        return f"{self.root}/{key}" if key else self.root

    def url_of(self, key: str) -> str:
        """The address of what lies below it; a path of this machine, as people know it."""
        return self.at(key) if self.scheme == LOCAL else f"{self.url}/{key}"

    def entries(self, key: str = "") -> list[dict[str, Any]]:
        """What lies directly below it, or below a folder of it, by name: name, type and size of each, as fsspec has it;
        nothing where there is no such folder.
        """
        with self._reading(key):
            try:
                found = self.files.ls(self.at(key), detail=True)
            except FileNotFoundError:
                return []
        mine = self.at(key).lstrip("/")
        entries = [each for each in found if str(each["name"]).strip("/") != mine]  # S3 lists a folder's own mark
        return sorted(entries, key=lambda each: str(each["name"]))

    def get(self, key: str, path: Path) -> None:
        """Copy a file of it to a path of this machine."""
        with self._reading(key):
            self.files.get_file(self.at(key), str(path))

    def read(self, key: str) -> bytes | None:
        """The bytes of a small file; None where there is none."""
        with self._reading(key):
            try:
                data: bytes = self.files.cat_file(self.at(key))
                return data
            except FileNotFoundError:
                return None

    def put(self, key: str, path: Path) -> None:
        """Copy a file of this machine to a key, which then holds it whole, or what it held before."""
        if self.path is not None:
            target = self.path / key
            with self._writing(key), path.open("rb") as file:
                target.parent.mkdir(parents=True, exist_ok=True)
                replace_file(target, lambda whole: shutil.copyfileobj(file, whole))
            return
        with self._writing(key):
            if self.scheme in _OBJECTS:
                self.files.pipe_file(self.at(key), path.read_bytes())
                return
            folder = self.at(key).rpartition("/")[0]
            partial = f"{folder}/{partial_name()}"
            self.files.makedirs(folder, exist_ok=True)
            self.files.put_file(str(path), partial)
            self.files.mv(partial, self.at(key))

    def write(self, key: str, data: bytes, scratch: Path) -> None:
        """As `put`, of bytes, which go through a folder of this machine."""
        path = scratch / secrets.token_hex(8)
        path.write_bytes(data)
        try:
            self.put(key, path)
        finally:
            path.unlink()

    def remove(self, key: str) -> None:
        """Remove a folder below it with all that is in it, if there is one."""
        with self._writing(key):
            if self.files.exists(self.at(key)):
                self.files.rm(self.at(key), recursive=True)

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # of the service's own kinds
            raise InputError(
                f"{self.url_of(key)} cannot be read ({in_short(error)}): check the name and the permissions"
            ) from error

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        try:
            yield
        except (InputError, OutputError):
            raise
        except Exception as error:
            raise OutputError(
                f"cannot write {self.url_of(key)} ({in_short(error)}): check the permissions and the room there"
            ) from error


def in_short(error: BaseException) -> str:
    """An error of others on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def require_ray() -> None:
    """Find out early whether Ray is installed.

    Raises:
        InputError: it is not.
    """
    from importlib.util import find_spec

    missing = [name for name in ("ray", "pyarrow", "fsspec") if find_spec(name) is None]
    if missing:
        raise InputError(f"--ray needs {' and '.join(missing)}, not installed here: {how_to_install('ray')}")
