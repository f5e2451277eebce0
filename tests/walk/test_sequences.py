"""Raw packets, in order: what each must be answered with, to the byte.

The sequences and the program that plays them are not part of this repository. They are looked for
in ../shared, or where NILO_MQTT_SEQUENCES says: a folder with tools/mqtt_sequences.py and
mqtt-sequences/. Those we answer otherwise, and why: docs/conformance.md.
"""

import json
import os
import subprocess
import sys

import harness

FOLDER = os.environ.get("NILO_MQTT_SEQUENCES",
                        os.path.join(os.path.dirname(harness.ROOT), "shared"))
PLAYER = os.path.join(FOLDER, "tools", "mqtt_sequences.py")

# What the sequences expect to be told in CONNACK, and reason codes without words.
LIMITS = """
[mqtt]
receive_max = 20
topic_alias_max = 10
packet_size_max = "268435460B"
reasons = false
"""

# Where the standard is on our side, or leaves the choice to us.
OTHERWISE = {
    "v3.1.1 CONNECT 10 Username flag 1 Password flag 1 ok",
    "v3.1.1 CONNECT 10 Password with 0x0000",
    "v5.0   PINGREQ C0 long",
    "v5.0   PINGRESP D0 long",
} | {
    f"v5.0   PUBLISH ALLOWED PROPERTIES subscription-identifier={value} (variable byte integer)"
    for value in ("1", "0x7F", "0x8001", "0xFF7F", "0x808001", "0xFFFF7F", "0x80808001",
                  "0xFFFFFF7F")
}


@harness.case
def every_sequence_of_packets_is_answered_as_it_must_be():
    if not os.path.exists(PLAYER):
        harness.skip(f"no {PLAYER}")
    outcomes = os.path.join(harness.make_folder(), "outcomes.json")
    with harness.Server(harness.make_folder(LIMITS)) as server:
        played = subprocess.run(
            [sys.executable, PLAYER, "127.0.0.1", str(server.mqtt_port),
             os.path.join(FOLDER, "mqtt-sequences"), "--json", outcomes],
            capture_output=True, text=True, timeout=120, check=False)
        with open(outcomes, encoding="utf-8") as file:
            cases = json.load(file)
    assert cases, played.stderr
    failed = {case["name"]: case["why"] for case in cases if not case["ok"]}
    assert set(failed) == OTHERWISE, (failed, OTHERWISE)


harness.main()
