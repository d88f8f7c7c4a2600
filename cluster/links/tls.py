"""TLS contexts from files, one clear message per mistake; the names in certificates.

Certificates are checked by our own rule, not by host name: a node id must stand in the
certificate literally (OpenSSL would accept wildcards), and it says who a replica is,
wherever its address leads.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from cluster.errors import ConfigError
from cluster.links.settings import Tls


def certificate_names(certificate: x509.Certificate) -> frozenset[str]:
    """Return the node ids that a certificate is for.

    The DNS names among its alternative names; its common name only if it has no
    alternative names at all.
    """
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return frozenset(str(name.value) for name in names)
    return frozenset(extension.value.get_values_for_type(x509.DNSName))


def peer_names(der: bytes | None) -> frozenset[str]:
    """Return the node ids in the certificate that a connection was verified with."""
    if der is None:
        return frozenset()
    try:
        return certificate_names(x509.load_der_x509_certificate(der))
    except (ValueError, x509.DuplicateExtension):
        # Signed by our authority, yet not well formed: it names nobody.
        return frozenset()


def server_context(tls: Tls, node_id: str) -> ssl.SSLContext:
    """Return the context for accepted connections. Raises ConfigError."""
    return _context(ssl.PROTOCOL_TLS_SERVER, tls, node_id)


def client_context(tls: Tls, node_id: str) -> ssl.SSLContext:
    """Return the context for dialled connections. Raises ConfigError."""
    return _context(ssl.PROTOCOL_TLS_CLIENT, tls, node_id)


def _context(protocol: int, tls: Tls, node_id: str) -> ssl.SSLContext:
    _check_own_certificate(tls.cert_file, node_id)

    def no_passphrase() -> str:
        # Without this, OpenSSL would ask on the terminal.
        raise ConfigError(
            f"TLS key file {tls.key_file} is encrypted; give one without a passphrase"
        )

    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        # Links last; nothing is gained by tickets, and they would be kept unused.
        context.num_tickets = 0
    _load(
        lambda: context.load_verify_locations(cafile=tls.ca_file),
        f"TLS CA file {tls.ca_file} does not hold PEM certificates",
        tls.ca_file,
    )
    _load(
        lambda: context.load_cert_chain(tls.cert_file, tls.key_file, no_passphrase),
        f"TLS key file {tls.key_file} does not hold the PEM key of the certificate "
        f"in {tls.cert_file}",
        tls.key_file,
    )
    return context


def _check_own_certificate(path: Path, node_id: str) -> None:
    content = _read(path, "TLS certificate file")
    try:
        names = certificate_names(x509.load_pem_x509_certificate(content))
    except (ValueError, x509.DuplicateExtension):
        raise ConfigError(
            f"TLS certificate file {path} does not begin with a PEM certificate"
        ) from None
    if node_id not in names:
        listed = ", ".join(sorted(names)) or "nobody"
        raise ConfigError(
            f"the certificate in {path} is for {listed[:200]}, not for node {node_id!r}"
        )


def _load(step: Callable[[], None], wrong: str, path: Path) -> None:
    _read(path, "TLS file")
    try:
        step()
    except ssl.SSLError as error:
        raise ConfigError(f"{wrong} ({error.reason or error})") from error
    except OSError as error:
        raise ConfigError(f"{wrong} ({error.strerror or error})") from error


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error.strerror}") from error
