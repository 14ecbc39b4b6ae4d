"""The directory as a station holds it: a signed manifest and the parts it names, kept whole beside the journal."""

from collections.abc import Callable, Collection, Mapping

from msgspec import structs

from contract import VERSION
from contract.codec import BadMessage, decoder, encode
from contract.directory import PARTS, Directory, Manifest, assemble, hash_part
from kiosk.certified import sift
from kiosk.journal import Journal

MANIFEST_KEY = "manifest"
PART_KEY = "part:"
"""Before a part's name: each is a value of its own, so that faces are not written again with every revocation."""

_manifest: Callable[[bytes], Manifest] = decoder(Manifest)


class DirectoryKeeper:
    """Puts a directory together from what arrives, in whatever order. Not thread-safe.

    It is kept as it was published. `roots`: of its keys only those count that one of them has certified; see `kiosk.certified`.
    """

    complaints: tuple[str, ...] = ()
    """What is wrong with the keys of the directory in force, in plain words."""

    def __init__(self, journal: Journal, compound: str, *, roots: Collection[bytes] = ()) -> None:
        self._journal, self._compound, self._roots = journal, compound, roots
        self._applied, self._parts = _load(journal)
        self._wanted: Manifest | None = None
        self._arrived: dict[str, bytes] = {}

    def in_force(self) -> Directory | None:
        """The directory in force; None if there is none yet."""
        return self._sifted(assemble(self._applied, self._parts)) if self._applied is not None else None

    def take_manifest(self, body: bytes) -> Directory | None:
        """A manifest whose signature was checked; the directory if it is whole and new. Raises `BadMessage`."""
        manifest = _manifest(body)
        if manifest.v != VERSION or manifest.compound != self._compound:
            raise BadMessage(f"a manifest of version {manifest.v} for {manifest.compound}, not of {VERSION} for {self._compound}")
        if self._applied is not None and manifest.version < self._applied.version:
            raise BadMessage(f"directory {manifest.version} is older than {self._applied.version}, which is in force")
        if manifest == self._applied:
            return None
        self._wanted = manifest
        return self._complete(manifest)

    def take_part(self, name: str, data: bytes) -> Directory | None:
        """A part, not yet known to be the right one; the directory if it is whole now. Raises `BadMessage`."""
        if name not in PARTS:
            return None
        self._arrived[name] = data
        return self._complete(self._wanted) if self._wanted is not None else None

    def _complete(self, manifest: Manifest) -> Directory | None:
        names = manifest.parts.keys() & PARTS.keys()
        if not names <= self._arrived.keys() | self._parts.keys():
            return None
        parts = {name: self._matching(name, manifest) for name in names}
        directory = assemble(manifest, parts)
        self._keep(manifest, parts)
        self._applied, self._parts, self._wanted = manifest, parts, None
        self._arrived = {name: data for name, data in self._arrived.items() if data != parts.get(name)}  # of the next version
        return self._sifted(directory)

    def _sifted(self, directory: Directory) -> Directory:
        found, self.complaints = _certified(directory, self._roots)
        return found

    def _matching(self, name: str, manifest: Manifest) -> bytes:
        """The part as it just arrived, or as it was before if that is the one the manifest names."""
        arrived, held = self._arrived.get(name), self._parts.get(name)
        if held is not None and (arrived is None or hash_part(held) == manifest.parts[name]):
            return held
        return arrived or b""

    def _keep(self, manifest: Manifest, parts: Mapping[str, bytes]) -> None:
        """Signed again every hour with the same parts: then only the small manifest is written, else what has changed."""
        changed = {PART_KEY + name: data for name, data in parts.items() if self._parts.get(name) != data}
        self._journal.keep_all({MANIFEST_KEY: encode(manifest), **changed})
        for name in self._parts.keys() - parts.keys():
            self._journal.forget(PART_KEY + name)


def load_kept_directory(journal: Journal, roots: Collection[bytes] = ()) -> Directory | None:
    """The directory that was in force when the station last ran; None if there is none, or it is damaged."""
    manifest, parts = _load(journal)
    return _certified(assemble(manifest, parts), roots)[0] if manifest is not None else None


def _certified(directory: Directory, roots: Collection[bytes]) -> tuple[Directory, tuple[str, ...]]:
    if directory.issued_at is None:
        return directory, ()
    found = sift(directory.keys, roots, directory.issued_at)
    return structs.replace(directory, keys=found.keys), found.complaints


def _load(journal: Journal) -> tuple[Manifest | None, dict[str, bytes]]:
    try:
        manifest = _manifest(journal.kept(MANIFEST_KEY) or b"")
        parts = {key.removeprefix(PART_KEY): data for key, data in journal.kept_under(PART_KEY).items()}
        assemble(manifest, parts)
    except BadMessage:
        return None, {}
    return manifest, parts
