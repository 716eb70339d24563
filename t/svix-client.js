// SPDX-License-Identifier: ISC
//
// node svix-client.js MODULES PORT SECRET OLD_SECRET
//
// Signs with the official svix package, posts to 127.0.0.1:PORT and prints a JSON list of what came
// back: { what, id, body (base64), expected, status, answer }.
'use strict';

const http = require('http');

const [modules, port, secret, oldSecret] = process.argv.slice(2);
const { Webhook } = require(`${modules}/svix`);

const call = JSON.stringify({
    type: 'phone_call.ended',
    data: { providerCallId: '069652c8-d01e-733e-8000-7c64a16dde5f', duration: 53, text: 'Grüße 📞' },
});

function post(headers, body) {
    return new Promise((resolve, reject) => {
        const url = `http://127.0.0.1:${port}/webhooks/calls`;
        const request = http.request(url, { method: 'POST', headers }, (response) => {
            let text = '';
            response.on('data', (part) => { text += part; });
            response.on('end', () => resolve({ status: response.statusCode, answer: text.trim() }));
        });
        request.on('error', reject);
        request.end(body);
    });
}

const results = [];
let count = 0;

// change: what the sender did, or somebody on the way.
async function deliver(what, expected, change = {}) {
    const id = change.id || `msg_${process.pid}_${++count}`;
    const time = change.time || new Date();
    const body = change.body === undefined ? call : change.body;
    const family = change.family || 'svix';
    const signatures = [].concat(change.secret || secret)
        .map((one) => new Webhook(one).sign(id, time, body)).join(' ');
    const sent = change.sent === undefined ? body : change.sent;
    const headers = {
        'content-type': 'application/json',
        'user-agent': 'Svix-Webhooks/1.99.1',
        [`${family}-id`]: change.sentId || id,
        [`${family}-timestamp`]: String(Math.floor(time.getTime() / 1000)),
        [`${family}-signature`]: signatures,
    };
    const { status, answer } = await post(headers, sent);
    const base64 = Buffer.from(body).toString('base64');
    results.push({ what, id, body: base64, expected, status, answer });
    return id;
}

(async () => {
    const stored = '200 {"status":"stored"}';
    const duplicate = '200 {"status":"duplicate"}';
    const forged = '401 {"status":"refused"}';
    const malformed = '400 {"status":"refused"}';
    const unknown = `whsec_${'A'.repeat(32)}`;
    const pretty = JSON.stringify(JSON.parse(call), null, 2);
    const large = JSON.stringify({ type: 'phone_call.ended', text: 'ü'.repeat(150000) });

    const id = await deliver('a phone call', stored);
    await deliver('the same again', duplicate, { id });
    await deliver('the same, signed anew', duplicate, { id, time: new Date(Date.now() - 60000) });
    await deliver('white label', stored, { family: 'webhook' });
    await deliver('the old secret', stored, { secret: oldSecret });
    await deliver('while secrets rotate', stored, { secret: [secret, oldSecret] });
    await deliver('an unknown and a known one', stored, { secret: [unknown, secret] });
    await deliver('an empty body', stored, { body: '' });
    await deliver('pretty-printed', stored, { body: pretty });
    await deliver('300 kB', stored, { body: large });
    await deliver('a tampered body', forged, { sent: call.replace('53', '54') });
    await deliver('another encoding of the same JSON', forged, { sent: pretty });
    await deliver('a tampered id', forged, { sentId: 'msg_other' });
    await deliver('an unknown secret', forged, { secret: unknown });
    await deliver('six minutes old', malformed, { time: new Date(Date.now() - 360000) });
    await deliver('six minutes ahead', malformed, { time: new Date(Date.now() + 360000) });
    console.log(JSON.stringify(results));
})();
