"""A real SMTP server (aiosmtpd) for tests: keeps what it accepts, and answers as it is told.

    with mail_server.MailServer() as smtp:
        ... a stack with smtp.stack_text() ...
        mail = smtp.wait_for(1)[0]
        assert mail.message["Subject"] == "Orchard almost empty"
"""

import email
import email.policy
import logging
import os
import ssl
import subprocess
import threading
import time
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

import harness

logging.getLogger("mail.log").disabled = True  # of clients that go away: part of the tests
warnings.filterwarnings("ignore", category=DeprecationWarning, module="aiosmtpd")

USER = "tanks"
PASSWORD = "correct horse battery"


class Mail:
    """One accepted mail."""

    def __init__(self, envelope, tls, user, peer):
        self.sender = envelope.mail_from
        self.recipients = envelope.rcpt_tos
        self.raw = envelope.original_content
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)
        self.id = self.message["Message-ID"]
        self.tls = tls
        self.user = user
        self.peer = peer
        self.accepted_at = time.monotonic()

    def part(self, content_type):
        """The decoded content of the only part of this type."""
        parts = [part for part in self.message.walk() if part.get_content_type() == content_type]
        assert len(parts) == 1, (content_type, [p.get_content_type() for p in self.message.walk()])
        return parts[0].get_content()


class Certificates:
    """A CA, a certificate of it for 127.0.0.1, and one that nobody vouches for; made by openssl."""

    def __init__(self):
        self.folder = harness.make_folder()
        self.ca = self._path("ca.pem")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                      "/CN=test CA", "-keyout", self._path("ca.key"), "-out", self.ca)
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
                      "-keyout", self._path("server.key"), "-out", self._path("server.csr"))
        with open(self._path("names"), "w", encoding="ascii") as file:
            file.write("subjectAltName=IP:127.0.0.1")
        self._openssl("x509", "-req", "-days", "2", "-in", self._path("server.csr"), "-CA", self.ca,
                      "-CAkey", self._path("ca.key"), "-CAcreateserial", "-extfile",
                      self._path("names"), "-out", self._path("server.pem"))

    def _path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._path("server.pem"), self._path("server.key"))
        return context


class MailServer:
    """One SMTP server on 127.0.0.1; `tls`: none, starttls or tls, with `certificates`.

    `answer_rcpt(address, tries)` may return an SMTP answer ("550 no such user") or None to accept;
    `answer_data(mail_id, tries)` the same when all of a mail is there.
    """

    def __init__(self, tls="none", certificates=None, login=False, port=0):
        self.tls = tls
        self.certificates = certificates
        self.login = login
        self.port = port
        self.answer_rcpt = lambda address, tries: None
        self.answer_data = lambda mail_id, tries: None
        self.mails = []
        self.attempts = []  # (Message-ID, answer) of each mail whose data came
        self.logins = []
        self.connections = 0
        self.open_connections = 0
        self._rcpt_tries = {}
        self._lock = threading.Lock()
        self._controller = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        server = self

        class CountedSMTP(SMTP):
            def connection_made(self, transport):
                if self.transport is None:  # not again for STARTTLS
                    server.open_connections += 1
                super().connection_made(transport)

            def connection_lost(self, error):
                server.open_connections -= 1
                super().connection_lost(error)

        class TestController(Controller):
            def factory(self):
                server.connections += 1
                context = server.certificates.context() if server.tls == "starttls" else None
                return CountedSMTP(self.handler, hostname="mail.test", enable_SMTPUTF8=True,
                            tls_context=context, require_starttls=server.tls == "starttls",
                            authenticator=server._authenticate if server.login else None,
                            auth_required=server.login, auth_require_tls=server.tls == "starttls",
                            data_size_limit=8 << 20)

        context = self.certificates.context() if self.tls == "tls" else None
        # Port 0 is not understood by the controller: it connects to itself to see that it runs.
        self.port = self.port or free_port()
        self._controller = TestController(self, hostname="127.0.0.1", port=self.port,
                                          ssl_context=context)
        self._controller.start()
        return self

    def stop(self):
        if self._controller:
            self._controller.stop()
            self._controller = None

    def stack_text(self, extra=""):
        """[mail] for this server."""
        ca = f'ca = "{self.certificates.ca}"\n' if self.certificates else ""
        login = f'user = "{USER}"\npassword = {{ env = "MAIL_PASSWORD" }}\n' if self.login else ""
        return (f'[mail]\nserver = "127.0.0.1"\nport = {self.port}\ntls = "{self.tls}"\n{ca}{login}'
                f'from = "Tanks <tanks@example.org>"\n{extra}')

    def wait_for(self, count, timeout_s=20):
        """The accepted mails, once there are `count`."""
        harness.wait_until(lambda: len(self.mails) >= count, f"{count} mails", timeout_s)
        return list(self.mails)

    def _authenticate(self, _server, _session, _envelope, _mechanism, data):
        right = data.login == USER.encode() and data.password == PASSWORD.encode()
        self.logins.append(right)
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        tries = self._rcpt_tries[address] = self._rcpt_tries.get(address, 0) + 1
        answer = self.answer_rcpt(address, tries)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):
        mail = Mail(envelope, session.ssl is not None or self.tls == "tls",
                    session.authenticated, session.peer)
        with self._lock:
            tries = 1 + sum(1 for known, _ in self.attempts if known == mail.id)
            answer = self.answer_data(mail.id, tries)
            self.attempts.append((mail.id, answer))
            if answer:
                return answer
            self.mails.append(mail)
        return f"250 2.0.0 Ok: queued as {len(self.mails)}"


def free_port():
    """A port of 127.0.0.1 that nobody listens on now."""
    import socket  # pylint: disable=import-outside-toplevel
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
