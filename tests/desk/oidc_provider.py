"""An OpenID Connect provider on the loopback that signs everybody in, as whom the test says."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT_ID = "pairdesk-test"


class Provider:
    """Its address, and who it says its visitor is."""

    def __init__(self) -> None:
        self.email = "trader@example.org"
        self.sign_ins = 0
        self.nonces: dict[str, str] = {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = ""

    def answer(self, path: str, query: dict[str, list[str]], body: str) -> tuple[str, object]:
        """Give a redirect's target, or nothing and what to send as JSON."""
        if path == "/authorize":
            code = f"code-{len(self.nonces)}"
            self.nonces[code] = query.get("nonce", [""])[0]
            answer = urlencode({"code": code, "state": query["state"][0]})
            return f"{query['redirect_uri'][0]}?{answer}", None
        if path == "/token":
            self.sign_ins += 1
            token = self.id_token(self.nonces[parse_qs(body)["code"][0]])
            return "", {"access_token": "none", "token_type": "Bearer", "id_token": token}
        return "", self.keys() if path == "/keys" else self.metadata()

    def metadata(self) -> dict[str, object]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def keys(self) -> dict[str, object]:
        numbers = self.key.public_key().public_numbers()
        n, e = (_words(each.to_bytes((each.bit_length() + 7) // 8, "big"))
                for each in (numbers.n, numbers.e))  # fmt: skip
        key = {"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": n, "e": e}
        return {"keys": [key]}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        head = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        claims = {"iss": self.url, "sub": "1", "aud": CLIENT_ID, "iat": now, "exp": now + 600,
                  "nonce": nonce, "email": self.email, "email_verified": True}  # fmt: skip
        signed = ".".join(_words(json.dumps(part).encode()) for part in (head, claims))
        mark = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_words(mark)}"

    def secrets(self, app_url: str) -> str:
        """Write what an app needs to know of it, as ``secrets.toml``."""
        return "\n".join(
            [
                "[auth]",
                f'redirect_uri = "{app_url}/oauth2callback"',
                'cookie_secret = "a secret of this test only, long enough"',
                f'client_id = "{CLIENT_ID}"',
                'client_secret = "none"',
                f'server_metadata_url = "{self.url}/.well-known/openid-configuration"',
                "[pairdesk]",
                f'allowed_emails = ["{self.email}"]',
            ]
        )


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Serve one on a free port."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            target, answer = provider.answer(parts.path, parse_qs(parts.query), body)
            content = json.dumps(answer).encode()
            self.send_response(302 if target else 200)
            self.send_header(*(("Location", target) if target else ("Content-Type", "text/json")))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(5)


def _words(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
