"""Mail to a real SMTP server: plain, STARTTLS, TLS, login; and what is said when it goes wrong."""

import json
import socket

import harness
from mail_server import PASSWORD, Certificates, MailServer

TANKS = """
[table.tank_levels]
key = ["device_id int", "time timestamp"]
columns = { percent = { type = "double", unit = "%" } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS device_id, percent FROM 'tank/+'"
put = "tank_levels"
"""


def server_with(mail_text, **options):
    return harness.Server(stack=harness.make_folder(TANKS + mail_text), **options)


def test_mail(server, to="anna@example.org"):
    """(status, answer document) of POST /api/v1/mail/test."""
    status, body, _ = server.request("POST", "/api/v1/mail/test", json.dumps({"to": to}),
                                     {"Content-Type": "application/json"})
    return status, json.loads(body)


def refusal(server, to="anna@example.org"):
    status, document = test_mail(server, to)
    assert status >= 400, document
    return document["error"]["message"]


@harness.case
def a_test_mail_over_plain_smtp_arrives_and_answers_with_the_servers_words():
    with MailServer() as smtp, server_with(smtp.stack_text()) as server:
        assert test_mail(server) == (200, {"answer": "250 2.0.0 Ok: queued as 1"})
        mail = smtp.mails[0]
        assert mail.sender == "tanks@example.org" and mail.recipients == ["anna@example.org"]
        assert mail.message["From"] == "Tanks <tanks@example.org>", mail.message["From"]
        assert mail.message["To"] == "anna@example.org"
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert mail.message["MIME-Version"] == "1.0"
        assert mail.message["Date"].datetime.tzinfo is not None
        assert mail.id.endswith("@example.org>")
        assert mail.message.get_content_type() == "multipart/alternative"
        assert "This is a test" in mail.part("text/plain")
        assert "This is a test" in mail.part("text/html")
        settings = server.get_json("/api/v1/settings")
        assert settings["mail"] == {"configured": True, "server": "127.0.0.1",
                                    "from": "Tanks <tanks@example.org>"}, settings


@harness.case
def starttls_and_tls_with_login_are_checked_against_the_given_ca():
    certificates = Certificates()
    for tls in ["starttls", "tls"]:
        with MailServer(tls, certificates, login=tls == "starttls") as smtp, \
                server_with(smtp.stack_text(), environment={"MAIL_PASSWORD": PASSWORD}) as server:
            status, document = test_mail(server)
            assert status == 200, document
            assert smtp.mails[0].tls, "the mail came over TLS"
            assert smtp.logins == ([True] if smtp.login else [])


@harness.case
def a_certificate_nobody_vouches_for_ends_it_before_the_login():
    certificates, other = Certificates(), Certificates()
    for tls in ["starttls", "tls"]:
        with MailServer(tls, certificates, login=tls == "starttls") as smtp:
            text = smtp.stack_text().replace(certificates.ca, other.ca)
            with server_with(text, environment={"MAIL_PASSWORD": PASSWORD}) as server:
                assert "certificate" in refusal(server)
                assert smtp.logins == [] and smtp.mails == []


@harness.case
def starttls_never_stays_plain():
    with MailServer("none") as smtp:
        with server_with(smtp.stack_text().replace('"none"', '"starttls"')) as server:
            assert "STARTTLS" in refusal(server), refusal(server)
            assert smtp.mails == []


@harness.case
def a_wrong_password_is_told_and_shown_nowhere():
    certificates = Certificates()
    with MailServer("starttls", certificates, login=True) as smtp:
        with server_with(smtp.stack_text(), environment={"MAIL_PASSWORD": "not-the-one"}) as server:
            assert refusal(server).startswith("535"), refusal(server)
            assert "not-the-one" not in server.log_text() + refusal(server)


@harness.case
def a_password_that_cannot_be_read_is_told_with_its_remedy_and_the_server_runs():
    with MailServer("starttls", Certificates(), login=True) as smtp, \
            server_with(smtp.stack_text()) as server:
        assert "MAIL_PASSWORD is not set" in refusal(server)
        assert "mail.no_password" in server.log_text()
        assert "problem" in server.get_json("/api/v1/settings")["mail"]
        assert smtp.connections <= 1, "only the controller's own"


@harness.case
def a_refused_recipient_and_a_server_that_is_down_or_hangs_are_told_apart():
    with MailServer() as smtp, server_with(smtp.stack_text()) as server:
        smtp.answer_rcpt = lambda address, tries: "550 5.1.1 no such user <here>"
        assert refusal(server) == "550 5.1.1 no such user <here>"
        smtp.stop()
        assert "connect" in refusal(server).lower()
        with socket.create_server(("127.0.0.1", smtp.port)):  # accepts, and says nothing
            assert "timed out" in refusal(server).lower()


@harness.case
def what_is_no_address_never_reaches_the_server():
    with MailServer() as smtp, server_with(smtp.stack_text()) as server:
        for bad in ["", "anna", "a@b\r\nRCPT TO:<x@y>", "a@b,c@d", "<a@b", "a b@c"]:
            status, document = test_mail(server, bad)
            assert status == 400, (bad, document)
        assert smtp.mails == []


@harness.case
def without_mail_in_the_stack_the_answer_says_so():
    with server_with("") as server:
        assert "[mail]" in refusal(server)
        assert server.get_json("/api/v1/settings")["mail"]["configured"] is False
        assert server.get_json("/api/v1/notices") == {
            "notices": [], "counts": {"waiting": 0, "sent": 0, "parked": 0}}


@harness.case
def only_admins_send_and_retry():
    with MailServer() as smtp:
        server = server_with(smtp.stack_text(), flags=())
        server.start()
        assert server.get("/api/v1/notices")[0] == 401
        assert server.request("POST", "/api/v1/mail/test", "{}")[0] == 401
        server.stop()


harness.main()
