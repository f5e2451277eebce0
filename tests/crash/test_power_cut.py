"""Power cuts under load: the file system forgets what was not synced, we nothing we acknowledged.

An ext4 image is shut down without its journal (`xfs_io -c shutdown`), as if the plug were pulled.
CUTS (4) and SEED (random, printed) come from the environment. Needs root and a loop device.
"""

import os
import random
import time

import harness
from disk import Disk
from load import PUBLISHERS, STACK, ask, rows_since, start_publishers

CUTS = int(os.environ.get("CUTS", "4"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))


@harness.case
def acknowledged_rows_survive_power_cuts_once():
    print(f"# seed {SEED}, {CUTS} cuts", flush=True)
    dice = random.Random(SEED)
    with Disk() as disk:
        server = harness.Server(stack=harness.make_folder(STACK),
                                data=os.path.join(disk.path, "data"))
        server.start()
        firsts = [1] * PUBLISHERS
        acknowledged_count = row_count = 0
        for cut in range(CUTS):
            publishers = start_publishers(server.mqtt_port, firsts)
            time.sleep(dice.uniform(0.05, 0.5))  # the moment of the cut is what the dice decide
            disk.cut_power()
            assert server.wait() == 1, "a disk that fails ends the server"
            for publisher in publishers:
                publisher.join()
            # Also what was acknowledged while the power went: an fdatasync() that the cut
            # interrupts may say "done", and must not be believed.
            acknowledged = {(publisher.number, n) for publisher in publishers
                            for n in publisher.acknowledged}
            disk.power_on()
            server.start()
            rows = rows_since(server, firsts)
            lost = acknowledged - set(rows)
            assert not lost, f"cut {cut}: {len(lost)} acknowledged rows lost, e.g. {min(lost)}"
            assert len(rows) == len(set(rows)), f"cut {cut}: rows are there twice"
            row_count += len(rows)
            assert ask(server, "SELECT count(*) FROM counts") == [[row_count]], \
                f"cut {cut}: rows of earlier rounds are gone, or came twice"
            acknowledged_count += len(acknowledged)
            firsts = [publisher.next for publisher in publishers]
        server.stop()
    assert acknowledged_count, "the load never got an acknowledgement"
    print(f"# {acknowledged_count} rows acknowledged, 0 lost, 0 twice", flush=True)


harness.main()
