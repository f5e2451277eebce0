"""A real SMTP server for the browser tests: prints every mail it takes as one line of JSON.

Usage: mailbox.py PORT     prints `ready` once it listens on 127.0.0.1:PORT
"""

import email
import email.policy
import json
import sys
import threading

from aiosmtpd.controller import Controller


class Handler:
    async def handle_DATA(self, _server, _session, envelope):  # pylint: disable=invalid-name
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        bodies = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
        pictures = [part.get_content_type() for part in mail.walk()
                    if part.get_content_maintype() == "image"]
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": str(mail["subject"]),
            "text": bodies["plain"].get_content() if bodies["plain"] else "",
            "html": bodies["html"].get_content() if bodies["html"] else "",
            "pictures": pictures, "headers": dict(mail.items()),
        }), flush=True)
        return "250 OK"


controller = Controller(Handler(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print("ready", flush=True)
threading.Event().wait()
