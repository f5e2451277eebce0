"""The pages of a stack: files that are read, changed as text, and never lost to a mistake."""

import json
import os

import harness

PAGE = """# comments stay
[[page]]
id = "tanks"
title = "Tanks"   # as are they

  [[page.panel]]
  kind = "now"
  of = ["tank-*/percent"]
"""


def with_page():
    folder = harness.make_folder(open(os.path.join(harness.WATER_TANKS, "nilo.toml")).read())
    os.mkdir(os.path.join(folder, "pages"))
    path = os.path.join(folder, "pages", "tanks.toml")
    with open(path, "w") as file:
        file.write(PAGE)
    return folder, path


def ask(server, method, path, body=None):
    """Status and document."""
    status, answer, _ = server.request(
        method, "/api/v1" + path, None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"})
    return status, json.loads(answer)


@harness.case
def a_page_is_changed_as_text_and_is_still_there_after_a_restart():
    folder, path = with_page()
    with harness.Server(stack=folder) as server:
        assert ask(server, "GET", "/pages")[1] == {
            "pages": [{"id": "tanks", "title": "Tanks", "for": None}]}
        status, text = ask(server, "GET", "/pages/tanks/text")
        assert (status, text["text"], text["writable"]) == (200, PAGE, True), text
        changed = PAGE.replace("Tanks", "Three tanks")
        status, page = ask(server, "PUT", "/pages/tanks/text",
                           {"text": changed, "version": text["version"]})
        assert (status, page["title"]) == (200, "Three tanks"), page
        assert page["panels"] == [{"kind": "now", "line": 6, "of": ["tank-*/percent"]}], page
        assert open(path).read() == changed
        assert server.stop() == 0
        server.start()
        assert ask(server, "GET", "/pages/tanks")[1] == page
        old = ask(server, "GET", "/pages/tanks/versions")[1]["versions"]
        assert [each["version"] for each in old] == [text["version"]], old
        assert ask(server, "GET", f"/pages/tanks/versions/{text['version']}")[1]["text"] == PAGE


@harness.case
def a_text_with_mistakes_changes_nothing_and_says_where():
    folder, path = with_page()
    with harness.Server(stack=folder) as server:
        version = ask(server, "GET", "/pages/tanks/text")[1]["version"]
        wrong = PAGE.replace("tank-*/percent", "tank-*/percnt")
        status, checked = ask(server, "POST", "/pages/check",
                              {"file": "pages/tanks.toml", "text": wrong})
        assert status == 200 and checked["diagnostics"][0]["range"]["start"]["line"] == 8, checked
        status, answer = ask(server, "PUT", "/pages/tanks/text", {"text": wrong, "version": version})
        assert status == 400, answer
        assert answer["diagnostics"] == checked["diagnostics"], answer
        assert "`percent`" in answer["diagnostics"][0]["detail"], answer
        assert open(path).read() == PAGE


@harness.case
def two_who_edit_do_not_overwrite_each_other():
    folder, path = with_page()
    with harness.Server(stack=folder) as server:
        version = ask(server, "GET", "/pages/tanks/text")[1]["version"]
        with open(path, "a") as file:
            file.write("  note = \"by an editor\"\n")
        assert "by an editor" in json.dumps(ask(server, "GET", "/pages/tanks")[1])
        status, answer = ask(server, "PUT", "/pages/tanks/text", {"text": PAGE, "version": version})
        assert status == 409, answer
        assert "by an editor" in open(path).read()


@harness.case
def an_editors_mistake_keeps_the_old_page_and_shows():
    folder, path = with_page()
    with harness.Server(stack=folder) as server:
        with open(path, "a") as file:
            file.write("  widht = 3\n")
        page = ask(server, "GET", "/pages/tanks")[1]
        assert "widht" not in json.dumps(page["panels"]), page
        assert page["problems"][0]["detail"] == "did you mean `width`?", page


@harness.case
def a_page_with_mistakes_does_not_start():
    folder, path = with_page()
    with open(path, "a") as file:
        file.write("  widht = 3\n")
    checked = harness.nilo("check", folder)
    assert checked.returncode == 3 and "pages/tanks.toml:9:3" in checked.stderr, checked.stderr


harness.main()
