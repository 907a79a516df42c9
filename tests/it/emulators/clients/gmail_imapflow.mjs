// EmailEngine's client, imapflow, at Gmail. Says `please …` on a line of its own when a person has to do something.
//
// Arguments: the folder with node_modules, port, user, app password, token.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const [folder, port, user, pass, accessToken] = process.argv.slice(2);
const { ImapFlow } = createRequire(`${folder}/`)('imapflow');

const connect = async auth => {
    const client = new ImapFlow({ host: '127.0.0.1', port: Number(port), secure: false, auth, logger: false });
    await client.connect();
    return client;
};
const please = what => console.log('please', what);

await assert.rejects(connect({ user, accessToken: 'no such token' }), error => {
    assert.equal(error.authenticationFailed, true);
    assert.match(error.responseText, /Invalid credentials/);
    return true;
});
await (await connect({ user, pass })).logout();

const client = await connect({ user, accessToken });
assert.equal(client.serverInfo.name, 'GImap');
for (const capability of ['X-GM-EXT-1', 'CONDSTORE', 'MOVE', 'UIDPLUS', 'LIST-STATUS']) {
    assert.ok(client.capabilities.has(capability), capability);
}

// Folders.
const folders = await client.list({ statusQuery: { messages: true, unseen: true, highestModseq: true } });
const special = use => folders.find(one => one.specialUse === use);
assert.equal(special('\\All').path, '[Google Mail]/Alle Nachrichten');
assert.equal(special('\\Drafts').path, '[Google Mail]/Entwürfe');
assert.equal(special('\\Junk').name, 'Spam');
assert.equal(special('\\Inbox').status.messages, 2);
assert.equal((await client.mailboxCreate('Team/Zoë')).created, true);

// Messages and labels in All Mail.
const opened = await client.mailboxOpen(special('\\All').path);
assert.equal(opened.exists, 2);
assert.ok(opened.highestModseq > 0n && opened.permanentFlags.has('\\*'));
const query = { uid: true, flags: true, envelope: true, bodyStructure: true, labels: true, threadId: true };
const rows = await client.fetchAll('1:*', query);
assert.deepEqual(rows.map(row => row.envelope.subject), ['Kettle 1', 'Photo']);
assert.ok(rows[0].emailId && rows[0].threadId && rows[0].threadId !== rows[1].threadId);
assert.deepEqual([...rows[0].labels], ['\\Inbox']);
assert.equal(rows[1].bodyStructure.childNodes[1].type, 'image/png');
assert.equal(await client.messageFlagsAdd('1', ['Owner/Ana B'], { uid: true, useLabels: true }), true);
assert.equal(await client.messageFlagsRemove('1', ['\\Inbox'], { uid: true, useLabels: true }), true);
const one = await client.fetchOne('1', query, { uid: true });
assert.deepEqual([...one.labels], ['Owner/Ana B']);
assert.deepEqual(await client.search({ gmraw: 'label:owner-ana-b' }, { uid: true }), [1]);
assert.deepEqual(await client.search({ emailId: rows[1].emailId }, { uid: true }), [2]);
const before = rows[1].modseq;
const changed = await client.fetchAll('1:*', { uid: true, labels: true }, { changedSince: before });
assert.deepEqual(changed.map(row => row.uid), [1]);
const { content } = await client.download('2', '2', { uid: true });
const chunks = [];
for await (const chunk of content) chunks.push(chunk);
assert.equal(Buffer.concat(chunks).subarray(1, 4).toString(), 'PNG');

// Moving, appending, and what a person does meanwhile.
await client.mailboxOpen('INBOX');
const moved = await client.messageMove('2', 'Team/Zoë', { uid: true });
assert.equal(moved.uidMap.get(2), 1);
const appended = await client.append('INBOX', `Subject: long\r\n\r\n${'A note.\r\n'.repeat(1000)}`, ['\\Seen']);
assert.equal(appended.uid, 3);
const pushed = once(client, 'exists');
client.idle();
please('deliver');
const [{ count }] = await pushed;
assert.equal(count, 2);
const flagged = once(client, 'flags');
client.idle();
please('star');
assert.ok((await flagged)[0].flags.has('\\Flagged'));
await client.logout();
