// EmailEngine's client, imapflow, at Exchange Online, whose oddities it knows well. Says `please …` on a line of its own
// when a person has to do something.
//
// Arguments: the folder with node_modules, port, user, token, and the name of a mailbox that the token does not open.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const [folder, port, user, accessToken, other] = process.argv.slice(2);
const { ImapFlow } = createRequire(`${folder}/`)('imapflow');

const connect = async auth => {
    const client = new ImapFlow({ host: '127.0.0.1', port: Number(port), secure: false, auth, logger: false });
    client.on('error', () => {});
    await client.connect();
    return client;
};
const please = what => console.log('please', what);
// A folder of this name says that it is done.
const pleaseAndWait = async what => {
    please(what);
    while (!(await client.list()).some(one => one.path === what));
};

const notLetIn = words => error => {
    assert.equal(error.authenticationFailed, true, error);
    assert.match(JSON.stringify([error.response, error.responseText]), words);
    return true;
};
await assert.rejects(connect({ user, accessToken: 'no such token' }), notLetIn(/AUTHENTICATE failed/));
await assert.rejects(connect({ user: other, accessToken }), notLetIn(/authenticated but not connected/));

const client = await connect({ user, accessToken });
assert.equal(client.serverInfo.name, 'Microsoft.Exchange.Imap4.Imap4Server');
for (const capability of ['MOVE', 'UIDPLUS', 'IDLE']) assert.ok(client.capabilities.has(capability), capability);
for (const capability of ['CONDSTORE', 'ENABLE', 'SPECIAL-USE']) assert.ok(!client.capabilities.has(capability));

// Folders: no special uses are told, so that it goes by their names.
const folders = await client.list({ statusQuery: { messages: true, unseen: true, uidNext: true } });
const special = use => folders.find(one => one.specialUse === use)?.path;
assert.equal(special('\\Sent'), 'Sent Items');
assert.equal(special('\\Junk'), 'Junk Email');
assert.equal(folders.find(one => one.path === 'INBOX').status.messages, 3);
assert.equal((await client.mailboxCreate('Baton/Zoë')).created, true);

// Messages, and the keywords that are not taken.
const opened = await client.mailboxOpen('INBOX');
assert.deepEqual([opened.exists, opened.uidValidity, opened.permanentFlags.has('\\*')], [3, 14n, false]);
const query = { uid: true, flags: true, envelope: true, bodyStructure: true, source: true, size: true };
const rows = await client.fetchAll('1:*', query);
assert.deepEqual(rows.map(row => row.envelope.subject), ['Kettle 1', 'Kettle 2', 'Kettle 3']);
assert.notEqual(rows[0].size, rows[0].source.length);
assert.equal(await client.messageFlagsAdd('1', ['baton-ana'], { uid: true }), false);
assert.equal(await client.messageFlagsAdd('1', ['\\Flagged'], { uid: true }), true);

// A command that is throttled is waited for, and given again.
await pleaseAndWait('throttle');
assert.deepEqual((await client.fetchAll('1:*', { uid: true })).map(row => row.uid), [1, 2, 3]);

// Moving, with COPYUID and without a use for it; appending.
assert.equal((await client.messageMove('1', 'Baton/Zoë', { uid: true })).uidMap.get(1), 1);
await pleaseAndWait('answer nothing');
assert.ok(await client.messageMove('2', 'Baton/Zoë', { uid: true }));
const appended = await client.append('Drafts', `Subject: long\r\n\r\n${'A note.\r\n'.repeat(1000)}`, ['\\Draft']);
assert.deepEqual([appended.uid, appended.uidValidity], [1, 14n]);
assert.equal((await client.status('Baton/Zoë', { messages: true })).messages, 2);

// What a person does, and the end of the token.
const pushed = once(client, 'exists');
client.idle();
please('deliver');
assert.equal((await pushed)[0].count, 2);
const flagged = once(client, 'flags');
client.idle();
please('flag');
assert.ok((await flagged)[0].flags.has('\\Flagged'));
const closed = once(client, 'close');
client.idle();
please('expire');
await closed;
