"""Python's imapclient at Exchange Online. Says `please …` on a line of its own when a person has to do something meanwhile.

Arguments: port, user, token, and the name of a mailbox that the token does not open.
"""

import sys
from datetime import datetime, timezone

import imapclient
from imapclient.exceptions import IMAPClientError, LoginError

port, user, token, other = sys.argv[1:]


def connect():
    return imapclient.IMAPClient("127.0.0.1", port=int(port), ssl=False, timeout=20)


def please(what):
    print("please", what, flush=True)


def please_and_wait(what):
    """A folder of this name says that it is done."""
    please(what)
    while not client.folder_exists(what):
        pass


def refused(call, words):
    try:
        answer = call()
    except IMAPClientError as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"accepted, with {answer}")


# Logging in: a wrong token, a password, a mailbox that is not open to it, and at last the right one.
client = connect()
assert client.welcome.startswith(b"* OK The Microsoft Exchange IMAP4 service is ready. ["), client.welcome
assert b"AUTH=XOAUTH2" in client.capabilities() and b"MOVE" not in client.capabilities()
for login in (lambda: client.oauth2_login(user, "no such token"), lambda: client.login(user, "secret")):
    try:
        login()
        raise AssertionError("accepted")
    except LoginError as error:
        assert "failed." in str(error), error
client.shutdown()
client = connect()
client.oauth2_login(other, token)
refused(client.namespace, "User is authenticated but not connected.")
refused(lambda: client.select_folder("INBOX"), "User is authenticated but not connected.")
client.shutdown()
client = connect()
client.oauth2_login(user, token)
assert b"MOVE" in client.capabilities() and b"CONDSTORE" not in client.capabilities()
assert client.namespace().personal == (("", "/"),), client.namespace()
assert client.id_({"name": "test"}), "no ID"

# Folders: many that hold no mail, none with a special use, so that the names have to do.
names = {name for _, _, name in client.list_folders()}
assert {"INBOX", "Calendar", "Deleted Items", "Junk Email", "Sent Items", "Archive"} <= names, names
assert client.find_special_folder(imapclient.imapclient.SENT) == "Sent Items"
client.create_folder("Baton/Zoë")
assert client.folder_exists("Baton/Zoë") and client.folder_exists("Baton")
refused(lambda: client.create_folder("baton/zoë"), "Mailbox already exists.")
assert client.folder_status("INBOX") == {
    b"MESSAGES": 3, b"RECENT": 0, b"UIDNEXT": 4, b"UIDVALIDITY": 14, b"UNSEEN": 3,
}, client.folder_status("INBOX")

# Messages: no keywords, a size that is a guess.
selected = client.select_folder("INBOX")
assert selected[b"EXISTS"] == 3 and selected[b"UIDVALIDITY"] == 14, selected
assert b"\\*" not in selected[b"PERMANENTFLAGS"] and b"$MDNSent" in selected[b"PERMANENTFLAGS"], selected
row = client.fetch([1], ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]"])[1]
assert row[b"ENVELOPE"].subject == b"Kettle 1", row[b"ENVELOPE"]
assert row[b"ENVELOPE"].message_id == b"<1@example.test>", row[b"ENVELOPE"]
assert row[b"BODYSTRUCTURE"][0:2] == (b"TEXT", b"PLAIN"), row[b"BODYSTRUCTURE"]
assert row[b"FLAGS"] == () and row[b"RFC822.SIZE"] != len(row[b"BODY[]"]), row
refused(lambda: client.add_flags([1], ["baton-ana"]), "Command Argument Error. 11")
refused(lambda: client.search(["KEYWORD", "baton-ana"]), "Command Argument Error. 11")
refused(lambda: client.fetch([1], ["X-GM-LABELS"]), "Command Argument Error. 11")
assert client.add_flags([1], [imapclient.FLAGGED]) == {1: (b"\\Flagged",)}
assert client.search(["FLAGGED"]) == [1]

# Moving, copying, appending.
client.move([1], "Baton/Zoë")
please_and_wait("answer nothing")
client.move([2], "Baton/Zoë")
assert client.search() == [3]
when = datetime(2026, 2, 1, 10, tzinfo=timezone.utc)
appended = client.append("Drafts", b"Subject: draft\r\nMessage-ID: <d@x>\r\n\r\nHello.\r\n", [imapclient.DRAFT], when)
assert appended.startswith(b"[APPENDUID 14 1]"), appended
refused(lambda: client.append("Drafts", b"Subject: x\r\n\r\n" + b"x" * 11000 + b"\r\n"), "Command Argument Error. 11")
client.select_folder("Baton/Zoë")
assert client.search(["HEADER", "Message-ID", "<2@example.test>"]) == [2]
client.copy([1, 2], "Archive")
client.delete_messages([1])
client.uid_expunge([1])
assert client.search() == [2]
assert client.folder_status("Archive", ["MESSAGES"])[b"MESSAGES"] == 2

# What a person does is pushed; then the token is over.
client.select_folder("INBOX")
client.idle()
please("deliver")
assert (2, b"EXISTS") in client.idle_check(timeout=20)
please("flag")
pushed = client.idle_check(timeout=20)
assert (2, b"FETCH", (b"FLAGS", (b"\\Flagged",))) in pushed, pushed
please("take away")
assert (2, b"EXPUNGE") in client.idle_check(timeout=20)
client.idle_done()
client.rename_folder("Baton/Zoë", "Baton/Zora")
client.delete_folder("Baton/Zora")
please("expire")
try:
    while True:
        client.folder_status("INBOX")
except IMAPClientError as error:
    assert "Session invalidated - AccessTokenExpired" in str(error), error
