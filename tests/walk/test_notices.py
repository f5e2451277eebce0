"""From a reading to a mail or a POST, and what the outbox does when servers do not play along."""

import http.server
import json
import os
import subprocess
import threading

import harness
from mail_server import PASSWORD, Certificates, MailServer

STACK = """
[site]
name = "Tanks <b>"
url = "http://tanks.example.org"

[table.levels]
key = ["device_id text", "time timestamp"]
thing = "tank-{device_id}"
columns = { percent = { type = "double", unit = "%" } }

[rule.store]
sql = "SELECT topic(2) AS device_id, percent FROM 'tank/+'"
put = "levels"

"""
ALERT = """
[alert.level]
of = "tank-*/percent"
low = 20
"""
MAIL = 'mail = { to = ["anna@example.org"], subject = "${thing.id} is low", text = "${value} %" }\n'


def server_with(text, **options):
    return harness.Server(stack=harness.make_folder(STACK + text), **options)


def fire(server, tank="1", percent=15.73):
    server.publish(f"tank/{tank}", json.dumps({"percent": percent}))


def notices(server, state=""):
    query = f"?state={state}" if state else ""
    return server.get_json("/api/v1/notices" + query)["notices"]


def wait_for_notice(server, state, timeout_s=30):
    return harness.wait_until(lambda: notices(server, state), f"a {state} notice", timeout_s)[0]




@harness.case
def an_alert_is_a_mail_and_a_line_of_the_ledger():
    with MailServer() as smtp, server_with(smtp.stack_text() + ALERT + MAIL) as server:
        fire(server)
        mail = smtp.wait_for(1)[0]
        assert mail.message["Subject"] == "tank-1 is low", mail.message["Subject"]
        assert "15.73" in mail.part("text/plain") and "15.73" in mail.part("text/html")
        notice = wait_for_notice(server, "sent")
        assert notice["to"] == "anna@example.org" and notice["tries"] == 1, notice
        assert notice["answer"].startswith("250 "), notice
        assert mail.id == f"<{notice['id']}@example.org>"
        listed = harness.nilo("notices", "ls", "--http", server.url.replace("http://", ""))
        assert notice["id"] in listed.stdout, listed


@harness.case
def a_refused_recipient_is_parked_and_goes_out_when_retried():
    with MailServer() as smtp, server_with(smtp.stack_text() + ALERT + MAIL) as server:
        smtp.answer_rcpt = lambda address, tries: "550 no such user" if tries == 1 else None
        fire(server)
        parked = wait_for_notice(server, "parked")
        assert parked["answer"] == "550 no such user" and parked["tries"] == 1, parked
        done = harness.nilo("notices", "retry", "--all", "--http",
                            server.url.replace("http://", ""))
        assert done.returncode == 0, done
        assert smtp.wait_for(1)[0].id == f"<{parked['id']}@example.org>"


@harness.case
def what_may_pass_is_tried_again_by_itself_with_the_same_message_id():
    with MailServer() as smtp, server_with(smtp.stack_text() + ALERT + MAIL) as server:
        smtp.answer_data = lambda mail_id, tries: "451 try again later" if tries == 1 else None
        fire(server)
        harness.wait_until(lambda: smtp.attempts, "a first try")
        waiting = harness.wait_until(
            lambda: [n for n in notices(server, "waiting") if n["tries"] == 1], "one try")[0]
        assert waiting["answer"] == "451 try again later", waiting
        smtp.wait_for(1, timeout_s=45)  # 24 to 36 s
        assert len({mail_id for mail_id, _ in smtp.attempts}) == 1, smtp.attempts
        assert wait_for_notice(server, "sent")["tries"] == 2


@harness.case
def a_server_that_is_down_is_told_once_and_gets_all_when_it_is_back_also_after_a_restart():
    smtp = MailServer().start()
    smtp.stop()
    with server_with(smtp.stack_text() + ALERT + MAIL) as server:
        for tank in range(30):
            fire(server, tank)
        harness.wait_until(lambda: any(n["answer"] for n in notices(server)), "a failed try")
        assert server.log_text().count("notices.server_failed") == 1
        server.kill()
        smtp.start()
        server.start()
        smtp.wait_for(30)
        numbers = [int(mail.id[1:].split("-")[0]) for mail in smtp.mails]
        assert numbers == sorted(set(numbers)), "each once, in the order they were caused"
        # While more than 20 wait, mails go without a chart.
        assert [b"image/png" in mail.raw for mail in smtp.mails] == [False] * 10 + [True] * 20
        harness.wait_until(lambda: not notices(server, "waiting"), "all sent")
        assert smtp.connections <= 4, "one connection carries them all"
        smtp.stop()


@harness.case
def a_wrong_password_is_told_at_once_and_parks_nothing():
    certificates = Certificates()
    with MailServer("starttls", certificates, login=True) as smtp:
        with server_with(smtp.stack_text() + ALERT + MAIL,
                         environment={"MAIL_PASSWORD": PASSWORD + "x"}) as server:
            fire(server)
            waiting = harness.wait_until(
                lambda: [n for n in notices(server, "waiting") if n["answer"]], "a first try")[0]
            assert waiting["answer"].startswith("535") and waiting["tries"] == 0, waiting
            harness.wait_until(lambda: "notices.server_failed" in server.log_text(), "a log line")
            assert "535" in server.log_text() and PASSWORD not in server.log_text()
            server.stop()
            server.environment["MAIL_PASSWORD"] = PASSWORD
            server.start()
            assert smtp.wait_for(1)[0].id == f"<{waiting['id']}@example.org>"


@harness.case
def a_wrong_certificate_is_told_at_once_and_parks_nothing():
    certificates, other = Certificates(), Certificates()
    with MailServer("tls", certificates) as smtp:
        text = smtp.stack_text().replace(certificates.ca, other.ca)
        with server_with(text + ALERT + MAIL) as server:
            fire(server)
            waiting = harness.wait_until(
                lambda: [n for n in notices(server, "waiting") if n["answer"]], "a first try")[0]
            assert "certificate" in waiting["answer"] and waiting["tries"] == 0, waiting


@harness.case
def names_from_strangers_are_text_in_mails():
    with MailServer() as smtp, server_with(smtp.stack_text() + ALERT + MAIL) as server:
        fire(server, "<script>alert(1)<\\u002fscript>")
        mail = smtp.wait_for(1)[0]
        assert "<script" not in mail.part("text/html")
        assert mail.message["Bcc"] is None
        assert len(mail.message["Subject"].splitlines()) == 1


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, dict(self.headers), body.decode()))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *_):
        pass


@harness.case
def a_webhook_is_posted_and_a_private_address_only_with_leave():
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    hook.posts = []
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{hook.server_port}/topic"
    text = ALERT + """webhook = { url = "%s", body = "${value} %%", headers = { Title = "${thing.id}" }%s }\n"""
    token = ', token = { file = "ntfy.token" }'
    with server_with(text % (url, ", allow_private = true" + token)) as server:
        fire(server)
        harness.wait_until(lambda: "ntfy.token" in wait_for_notice(server, "waiting")["answer"],
                           "the reason: it is not there yet")
        path = os.path.join(server.stack, "ntfy.token")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write("tk_1\n")
        server.stop()
        server.start()
        notice_id = wait_for_notice(server, "waiting")["id"]
        assert server.request("POST", f"/api/v1/notices/{notice_id}/retry")[0] == 200
        sent = wait_for_notice(server, "sent")
        assert hook.posts.pop()[1]["Authorization"] == "Bearer tk_1"
        kept = subprocess.run(["grep", "-r", "tk_1", server.data], check=False)
        assert kept.returncode == 1 and "tk_1" not in server.log_text(), "the secret is kept nowhere"
    with server_with(text % (url, ", allow_private = true")) as server:
        fire(server)
        harness.wait_until(lambda: hook.posts, "a post")
        path, headers, body = hook.posts[0]
        assert (path, headers["Title"], body) == ("/topic", "tank-1", "15.73 %"), hook.posts
        sent = wait_for_notice(server, "sent")
        assert sent["answer"] == "HTTP 200: thanks" and "topic" not in sent["to"], sent
    with server_with(text % (url, "")) as server:
        fire(server)
        assert "allow_private" in wait_for_notice(server, "parked")["answer"]
        assert len(hook.posts) == 1
    hook.shutdown()


harness.main()
