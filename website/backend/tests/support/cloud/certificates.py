"""A certificate authority for tests."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@cache
def make_key(purpose: str) -> rsa.RSAPrivateKey:
    """Return the key for this purpose; keys are cached, because generating one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def as_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass
class Authority:
    """Signs certificates, and makes the TLS context of a server that requires client certificates."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: make_key("authority"))

    def sign(self, name: str, public: rsa.RSAPublicKey, holds: timedelta, *, authority: bool = False) -> str:
        """Return a certificate in PEM."""
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + holds)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def certificate(self) -> str:
        """The authority's own certificate."""
        return self.sign("authority", self.key.public_key(), timedelta(hours=1), authority=True)

    def context(self, folder: Path) -> ssl.SSLContext:
        """Return a TLS 1.3 context that accepts clients with a certificate of this authority."""
        key = make_key("server")
        certificate_file = folder / "server.pem"
        certificate_file.write_text(self.sign("instance", key.public_key(), timedelta(hours=1)) + as_pem(key).decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate_file)
        context.load_verify_locations(cadata=self.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        return context
