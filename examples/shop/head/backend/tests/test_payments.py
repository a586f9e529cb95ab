import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from shop import payments, settings

API_KEY = "dummy-key-for-tests"


class Provider(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.seen = self.headers["Authorization"]
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_key_is_sent_as_a_bearer_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setattr(settings, "PAYMENT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(settings, "PAYMENT_KEY", API_KEY)
        payments.charge("lantern", 1, Decimal("9.99"), "EUR")
        thread.join()
    assert server.seen == "Bearer dummy-key-for-tests"
