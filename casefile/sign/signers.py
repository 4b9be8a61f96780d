"""Who signs which field, in which order and up to which level."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casefile import config, resources
from casefile.context import Context
from casefile.errors import SigningFailed
from casefile.formats.fonts import glyphs
from casefile.formats.signatures import trust
from casefile.formats.signatures.pades import Level, SigningServices
from casefile.model.dossier import BoundVolume, SignatureBox
from casefile.sign import seal

_NAME_FONTS = ("FandolKai-Regular.otf", "LXGWWenKai-Regular.ttf", "NotoSerifCJK-Regular.ttc")
"""Written names stand in 楷体; what it lacks is taken from larger fonts."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One signature to be made: the box, who fills it, up to which level."""

    box: SignatureBox
    signer: config.Signer
    level: Level
    certify: bool


def turns(volume: BoundVolume, signers: Sequence[config.Signer]) -> tuple[Turn, ...]:
    """The signatures of a volume in the order of the settings.

    The first certifies. The last carries the archive timestamp that keeps all of them provable: a last signer
    set to B-LT is raised to B-LTA. Where a role has more boxes than signers, its last signer fills the rest.

    Raises:
        SigningFailed: SIGN-NO-BOX, SIGN-NO-SIGNER.
    """
    if not volume.boxes:
        raise SigningFailed("SIGN-NO-BOX", subject=volume.zh)
    filled: list[tuple[int, SignatureBox]] = []
    for role in dict.fromkeys(box.role for box in volume.boxes):
        places = [place for place, signer in enumerate(signers) if signer.role is role]
        if not places:
            raise SigningFailed(
                "SIGN-NO-SIGNER",
                subject=volume.zh,
                role=role.zh,
                key="signing.signers",
                word=role.value,
            )
        boxes = [box for box in volume.boxes if box.role is role]
        filled += [(places[min(turn, len(places) - 1)], box) for turn, box in enumerate(boxes)]
    filled.sort(key=lambda pair: pair[0])
    last = len(filled) - 1
    return tuple(
        Turn(
            box,
            signers[place],
            "B-LTA" if turn == last and signers[place].level == "B-LT" else signers[place].level,
            certify=turn == 0,
        )
        for turn, (place, box) in enumerate(filled)
    )


@dataclass(slots=True)
class Desk:
    """What signing needs, opened once for a whole batch: unlocked keys, trust, timestamps, the seal."""

    root: Path
    settings: config.Signing
    bureau: str
    fonts: tuple[Path, ...]
    _keys: dict[Path, trust.SigningKey] = field(default_factory=dict)
    _services: SigningServices | None = None
    _seal: bytes = b""
    _fonts: dict[str, bytes] = field(default_factory=dict)

    @property
    def trust_roots(self) -> tuple[Path, ...]:
        """Files of the roots that the settings trust."""
        return tuple(self.root / path for path in self.settings.trust_roots)

    def services(self) -> SigningServices:
        """Trust roots and timestamp authority."""
        if self._services is None:
            self._services = SigningServices(trust.read_roots(self.trust_roots), self.settings.timestamp_url)
        return self._services

    def key(self, signer: config.Signer) -> trust.SigningKey:
        """The unlocked key of one signer.

        Raises:
            SigningFailed: SIGN-PASSPHRASE-MISSING, or what ``trust.unlock`` raises.
        """
        path = self.root / signer.pkcs12
        if path not in self._keys:
            self._keys[path] = trust.unlock(path, self._passphrase(signer))
        return self._keys[path]

    def seal(self) -> bytes:
        """The seal's picture: the bureau's own, else a drawn one that says 演示."""
        if not self._seal:
            own = self.settings.seal
            self._seal = seal.read(self.root / own) if own else seal.drawn(self.bureau, self.fonts)
        return self._seal

    def font(self, text: str) -> bytes:
        """A font that holds the characters of a written name."""
        if text not in self._fonts:
            self._fonts[text] = glyphs.covering(text, _NAME_FONTS, self.fonts)
        return self._fonts[text]

    def _passphrase(self, signer: config.Signer) -> bytes:
        if signer.passphrase_file is not None:
            path = self.root / signer.passphrase_file
            try:
                return path.read_bytes().rstrip(b"\r\n")
            except OSError:
                raise SigningFailed("SIGN-PASSPHRASE-MISSING", subject=signer.name, place=path.name) from None
        name = signer.passphrase_env or ""
        if name not in os.environ:
            raise SigningFailed(
                "SIGN-PASSPHRASE-MISSING", subject=signer.name, place=name or "passphrase_file"
            )
        return os.environ[name].encode()


def desk(context: Context) -> Desk:
    """The desk of this context."""
    settings = context.config
    return context.keep(
        "signing",
        lambda: Desk(
            context.workspace.root,
            settings.signing,
            settings.bureau.name,
            (*settings.fonts.folders, *resources.font_folders()),
        ),
    )
