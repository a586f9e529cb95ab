"""A transport that answers what it is told to."""

from courier.models import Answer


class FakeTransport:
    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []

    async def post(self, url, body, headers, timeout_s):
        self.sent.append(url)
        return self.answers.pop(0)
