"""kill -9 while alerts fire and mails go out: every mail arrives, and none twice without reason.

The outbox tries the next mail only when the outcome of the last one is on disk. So at each kill one
mail at most is in doubt: the last that the mail server had accepted. A Message-ID that arrives
again must be that one, of a kill that lies between its two arrivals; any other is a failure.

KILLS (10) and SEED (random, printed) come from the environment.
"""

import json
import os
import random
import time

import harness
from mail_server import MailServer

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
TANKS_PER_ROUND = 40
STACK = """
[table.levels]
key = ["device_id text", "time timestamp"]
thing = "tank-{device_id}"
columns = { percent = { type = "double", unit = "%" } }

[rule.store]
sql = "SELECT topic(2) AS device_id, percent FROM 'tank/+'"
put = "levels"

[alert.level]
of = "tank-*/percent"
low = 20
mail = { to = ["anna@example.org"], subject = "${thing.id}", text = "${value}" }

"""


def in_doubt_at(mails, kill):
    """The id of the last mail accepted before `kill`, or None."""
    before = [mail for mail in mails if mail.accepted_at <= kill]
    return before[-1].id if before else None


def unexplained_repeats(mails, kills):
    """Ids that came again although no kill had left them in doubt."""
    bad = []
    arrived = {}
    for mail in mails:
        first = arrived.get(mail.id)
        arrived[mail.id] = mail.accepted_at
        if first is None:
            continue
        between = [kill for kill in kills if first <= kill <= mail.accepted_at]
        if not any(in_doubt_at(mails, kill) == mail.id for kill in between):
            bad.append(mail.id)
    return bad


@harness.case
def every_mail_arrives_and_twice_only_if_the_kill_came_before_its_record():
    print(f"# seed {SEED}, {KILLS} kills", flush=True)
    dice = random.Random(SEED)
    fired, kills = set(), []
    with MailServer() as smtp:
        server = harness.Server(stack=harness.make_folder(smtp.stack_text() + STACK))
        server.start()
        for kill in range(KILLS):
            for tank in range(kill * TANKS_PER_ROUND, (kill + 1) * TANKS_PER_ROUND):
                status, body, _ = server.request("POST", f"/api/v1/publish?topic=tank/{tank}",
                                                 json.dumps({"percent": 10}))
                assert status == 200, body
                fired.add(f"tank-{tank}")
            time.sleep(dice.uniform(0, 0.1))  # the moment of the kill is what the dice decide
            server.kill()
            # What it had handed over before, a slow mail server takes only now.
            harness.wait_until(lambda: smtp.open_connections == 0, "the end of its connections")
            kills.append(time.monotonic())
            server.start()
        harness.wait_until(lambda: len(smtp.mails) >= len(fired) and
                           {m.message["Subject"] for m in smtp.mails} >= fired,
                           "a mail for each alert", 60 + 2 * KILLS)
        harness.wait_until(
            lambda: server.get_json("/api/v1/notices")["counts"]["waiting"] == 0, "all recorded")
        server.stop()
        mails = list(smtp.mails)
    ids = {mail.id for mail in mails}
    print(f"# {len(fired)} alerts, {len(mails)} mails, {len(mails) - len(ids)} repeated")
    assert len(ids) == len(fired), "one Message-ID for each alert"
    assert not unexplained_repeats(mails, kills), unexplained_repeats(mails, kills)


harness.main()
