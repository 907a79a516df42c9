"""Python's imapclient at Gmail. Says `please …` on a line of its own when a person has to do something meanwhile.

Arguments: port, user, app password, token.
"""

import sys

import imapclient
from imapclient.exceptions import LoginError

port, user, password, token = sys.argv[1:]


def connect():
    return imapclient.IMAPClient("127.0.0.1", port=int(port), ssl=False, timeout=20)


def please(what):
    print("please", what, flush=True)


# Logging in: a wrong token, XOAUTH2, OAUTHBEARER, an app password.
client = connect()
assert client.welcome.startswith(b"* OK Gimap ready"), client.welcome
assert b"AUTH=XOAUTH2" in client.capabilities()
try:
    client.oauth2_login(user, "no such token")
    raise AssertionError("a wrong token was accepted")
except LoginError as refused:
    assert "Invalid credentials" in str(refused), refused
client.shutdown()
for login in (
    lambda client: client.oauth2_login(user, token),
    lambda client: client.oauthbearer_login(user, token),
    lambda client: client.plain_login(user, password),
    lambda client: client.login(user, password),
):
    client = connect()
    login(client)
    assert b"X-GM-EXT-1" in client.capabilities(), client.capabilities()
    client.logout()

client = connect()
client.oauth2_login(user, token)
assert client.id_({"name": "test"}), "no ID"
assert client.namespace().personal == (("", "/"),), client.namespace()

# Folders, by their special use.
all_mail = client.find_special_folder(imapclient.imapclient.ALL)
assert all_mail == "[Google Mail]/Alle Nachrichten", all_mail
assert client.find_special_folder(imapclient.imapclient.DRAFTS) == "[Google Mail]/Entwürfe"
client.create_folder("Team/Zoë")
assert client.folder_exists("Team/Zoë")
assert client.folder_status("INBOX") == {
    b"MESSAGES": 2, b"RECENT": 0, b"UIDNEXT": 3, b"UIDVALIDITY": 1, b"UNSEEN": 2,
}, client.folder_status("INBOX")

# Messages: in All Mail with all their labels, in the inbox without its own.
selected = client.select_folder(all_mail)
assert selected[b"EXISTS"] == 2 and selected[b"HIGHESTMODSEQ"] > 0, selected
assert b"\\*" in selected[b"PERMANENTFLAGS"], selected
rows = client.fetch("1:*", ["X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS", "ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE"])
one, two = rows[1], rows[2]
assert one[b"X-GM-MSGID"] != two[b"X-GM-MSGID"] and one[b"X-GM-THRID"] != two[b"X-GM-THRID"]
assert one[b"X-GM-LABELS"] == (b"\\Inbox",), one[b"X-GM-LABELS"]
envelope = one[b"ENVELOPE"]
assert envelope.subject == b"Kettle 1" and envelope.message_id == b"<m1@example.test>", envelope
assert (envelope.from_[0].mailbox, envelope.from_[0].host) == (b"bob", b"example.test"), envelope
structure = two[b"BODYSTRUCTURE"]
assert structure.is_multipart and structure[0][1][0:2] == (b"IMAGE", b"PNG"), structure
body = client.fetch([2], ["BODY.PEEK[]", "BODY.PEEK[2]<0.3>"])[2]
assert len(body[b"BODY[]"]) == two[b"RFC822.SIZE"] and body[b"BODY[2]<0>"] == b"iVB", body

# Labels.
assert client.add_gmail_labels([1], ["Owner/Ana B", "台北", "\\Important"])[1]
labels = client.get_gmail_labels([1])[1]
assert set(labels) == {"\\Inbox", "\\Important", "Owner/Ana B", "台北"}, labels
client.remove_gmail_labels([1], ["台北"], silent=True)
assert "台北" not in client.get_gmail_labels([1])[1]
assert client.gmail_search("label:owner-ana-b") == [1]
assert client.gmail_search("in:inbox subject:\"Kettle\"") == [1]
assert client.search(["X-GM-MSGID", str(two[b"X-GM-MSGID"])]) == [2]
assert client.search(["SINCE", __import__("datetime").date(2020, 1, 1), "NOT", "SEEN"]) == [1, 2]

# Flags, and the one counter.
modseq = client.fetch([2], ["MODSEQ"])[2][b"MODSEQ"][0]
client.add_flags([1], ["$owner-ana", imapclient.SEEN])
assert set(client.get_flags([1])[1]) == {b"$owner-ana", imapclient.SEEN}
changed = client.fetch("1:*", ["FLAGS"], ["CHANGEDSINCE %d" % modseq])
assert list(changed) == [1], changed

# Copying, moving, appending.
client.select_folder("INBOX")
client.copy([1], "Team/Zoë")
client.move([2], "Team/Zoë")
assert client.search() == [1]
assert b"APPENDUID" in client.append("Team/Zoë", b"Subject: note\r\n\r\nA note.\r\n", [imapclient.SEEN])
assert client.select_folder("Team/Zoë")[b"EXISTS"] == 3
client.delete_messages([2])
assert client.search() == [1, 3]

# What a person does is pushed.
client.select_folder("INBOX")
client.idle()
please("deliver")
assert (2, b"EXISTS") in client.idle_check(timeout=20)
please("star")
pushed = client.idle_check(timeout=20)
assert pushed[0][:2] == (2, b"FETCH") and pushed[0][2][-2:] == (b"FLAGS", (b"\\Flagged",)), pushed
please("archive")
assert (2, b"EXPUNGE") in client.idle_check(timeout=20)
client.idle_done()
client.rename_folder("Team/Zoë", "Team/Zora")
client.delete_folder("Team/Zora")
client.logout()
