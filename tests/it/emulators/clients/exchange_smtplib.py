"""Python's smtplib at Exchange Online's submission, with STARTTLS.

Arguments: port, user, token, and the certificate of the authority.
"""

import base64
import smtplib
import ssl
import sys

port, user, token, authority = sys.argv[1:]

client = smtplib.SMTP("localhost", int(port), timeout=20)
client.ehlo("client")
assert client.has_extn("starttls") and not client.has_extn("auth"), client.esmtp_features
assert client.docmd("AUTH", "XOAUTH2")[0] == 530
assert client.starttls(context=ssl.create_default_context(cafile=authority))[0] == 220
client.ehlo("client")
assert client.esmtp_features["auth"].split() == ["LOGIN", "XOAUTH2"], client.esmtp_features
assert client.has_extn("smtputf8") and client.esmtp_features["size"] == "157286400", client.esmtp_features
wrong = base64.b64encode(f"user={user}\x01auth=Bearer nonsense\x01\x01".encode()).decode()
code, text = client.docmd("AUTH", "XOAUTH2 " + wrong)
assert code == 535 and text.startswith(b"5.7.3 Authentication unsuccessful ["), text
code, text = client.auth("XOAUTH2", lambda challenge=None: f"user={user}\x01auth=Bearer {token}\x01\x01")
assert (code, text) == (235, b"2.7.0 Authentication successful"), text
message = f"From: <{user}>\r\nTo: <bob@example.test>\r\nSubject: Gr\u00fc\u00dfe\r\n\r\n.\r\n..\r\nHello\r\n"
refused = client.sendmail(user, ["bob@example.test", "eve@example.test"], message.encode(), ["smtputf8"])
assert refused == {}, refused
client.quit()
