"""The demo authority's services on loopback: timestamps, certificate status, revocation lists, certificates.

``python -m casefile.demo.pki_service WORKSPACE`` serves the authority of a workspace again, so that a person
can sign there later. The port stands in every certificate; ``pki.json`` remembers it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from casefile.demo.pki import BUREAU, Authority, Pki, authority_folder, load_pki, make_pki
from casefile.errors import Conflict
from casefile.formats.signatures.cms import TimestampAuthority

_LONGEST_REQUEST = 100_000


class Service:
    """One running authority. ``calls`` counts requests by kind: ``tsa``, ``ocsp``, ``crl``, ``crt``."""

    def __init__(self, folder: Path, *, port: int = 0, bureau: str = BUREAU) -> None:
        """Serve the authority of ``folder``; make it first where there is none.

        Raises:
            Conflict: DEMO-PORT, when the port is taken.
        """
        made = (authority_folder(folder) / "pki.json").exists()
        if made:
            port = urlsplit(load_pki(folder).url).port or port
        self.calls: Counter[str] = Counter()
        try:
            # Bound before any certificate is made: the port stands in them.
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError:
            raise Conflict("DEMO-PORT", subject=str(port)) from None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.pki: Pki = load_pki(folder) if made else make_pki(folder, self.url, bureau=bureau)
        self.authority = Authority(authority_folder(folder))
        self._server.service = self
        self.timestamps = TimestampAuthority(
            self.authority.tsa, self.authority.tsa_key, [self.authority.issuing]
        )

    def start(self) -> Service:
        """Answer in the background."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def forever(self) -> None:
        """Answer until interrupted."""
        self._server.serve_forever()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Service:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def status(self, request: bytes) -> bytes:
        """Answer an OCSP request (RFC 6960)."""
        asked = ocsp.load_der_ocsp_request(request)
        issuing = self.authority.issuing
        now = dt.datetime.now(dt.UTC)
        revoked = self.authority.revoked.get(asked.serial_number)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=asked.issuer_name_hash,
                issuer_key_hash=asked.issuer_key_hash,
                serial_number=asked.serial_number,
                algorithm=asked.hash_algorithm,
                cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
                this_update=now - dt.timedelta(minutes=5),
                next_update=now + dt.timedelta(days=7),
                revocation_time=revoked,
                revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.authority.ocsp)
            .certificates([self.authority.ocsp, issuing])
        )
        for extension in asked.extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)
        return builder.sign(self.authority.ocsp_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@contextmanager
def serving(folder: Path, *, bureau: str = BUREAU) -> Iterator[str]:
    """Serve the authority of ``folder`` while the block runs; gives its address.

    Where somebody already serves this very authority, that service is used.

    Raises:
        Conflict: DEMO-PORT, when another program holds its port.
    """
    try:
        service = Service(folder, bureau=bureau)
    except Conflict:
        url = load_pki(folder).url
        if not _serves(url, authority_folder(folder) / "root.crt"):
            raise
        yield url
        return
    with service:
        yield service.url


def _serves(url: str, root: Path) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/root.crt", timeout=2) as answer:
            return bool(answer.read(_LONGEST_REQUEST) == root.read_bytes())
    except (OSError, urllib.error.URLError):
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    service: Service


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        service = self.server.service
        name, _, kind = self.path.lstrip("/").partition(".")
        if kind in ("crl", "crt") and name in ("root", "issuing"):
            service.calls[kind] += 1
            if kind == "crl":
                now = dt.datetime.now(dt.UTC).replace(microsecond=0)
                self._answer(service.authority.revocation_list(name, now), "application/pkix-crl")
            else:
                self._answer((service.authority.folder / f"{name}.crt").read_bytes(), "application/pkix-cert")
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        service = self.server.service
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= _LONGEST_REQUEST:
            self.send_error(413)
            return
        request = self.rfile.read(length)
        try:
            if self.path == "/tsa":
                service.calls["tsa"] += 1
                self._answer(service.timestamps.answer(request), "application/timestamp-reply")
            elif self.path == "/ocsp":
                service.calls["ocsp"] += 1
                self._answer(service.status(request), "application/ocsp-response")
            else:
                self.send_error(404)
        except (ValueError, TypeError):
            self.send_error(400)

    def _answer(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the reader of a terminal is not the reader of this log."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the authority of a workspace until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m casefile.demo.pki_service", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="WORKSPACE")
    parser.add_argument(
        "--port", type=int, default=0, help="port of a new authority; a made one keeps its own"
    )
    options = parser.parse_args(arguments)
    service = Service(options.folder.absolute(), port=options.port)
    print(f"演示证书服务已启动:{service.url}(按 Ctrl+C 结束)", flush=True)
    try:
        service.forever()
    except KeyboardInterrupt:
        print("演示证书服务已结束")


if __name__ == "__main__":
    main()
