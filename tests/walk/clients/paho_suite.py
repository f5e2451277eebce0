"""paho_suite.py FOLDER MODULE PORT TOKEN OUT: runs one of Eclipse Paho's interoperability suites.

FOLDER has the suites, MODULE is `client_test` (3.1.1) or `client_test5` (5.0). Their clients log in
with TOKEN, all else is as the suite has it. OUT becomes JSON: a test -> "" or what went wrong.
"""

import functools
import importlib
import json
import logging
import sys
import unittest

folder, module, port, token, out = sys.argv[1:]
sys.path.insert(0, folder)
suite = importlib.import_module(module)
suite.host, suite.port = "127.0.0.1", int(port)
# The suite sets these where it is the program.
suite.topic_prefix = "client_test5/"
suite.topics = ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")
suite.wildtopics = ("TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#")
suite.nosubscribe_topics = ("test/nosubscribe",)
client = suite.mqtt_client.Client
client.connect = functools.partialmethod(client.connect, username="suite",
                                         password=token.encode())
logging.getLogger().setLevel(logging.CRITICAL)

names = unittest.TestLoader().getTestCaseNames(suite.Test)
names += [name for name in dir(suite.Test) if name.endswith("_test")]  # not found by its name
outcome = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(
    unittest.TestSuite(suite.Test(name) for name in names))
results = dict.fromkeys(names, "")
for test, trace in outcome.failures + outcome.errors:
    # What fails before the first test has another kind of name.
    results[getattr(test, "_testMethodName", str(test))] = trace
with open(out, "w", encoding="utf-8") as file:
    json.dump(results, file)
